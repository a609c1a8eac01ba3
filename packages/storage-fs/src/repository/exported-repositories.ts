import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { systemCode } from "../errors.ts";
import { ABSENT, containedLayout, isBelow } from "./containment.ts";
import { fixedPartOf, interpolatePath, sanitizeHost } from "./interpolate-path.ts";
import { findRepositoryAt, type RepositoryLayout } from "./layout.ts";
import { findSystemUser } from "./system-user.ts";

/** Which repositories there are for clients, in git-daemon's terms. Spec: git-daemon, "OPTIONS". */
export interface ExportedRepositoriesOptions {
  /** Put before what clients ask for. */
  readonly basePath?: string | undefined;
  /** Where there is nothing below `basePath`, take the path as the client wrote it. */
  readonly basePathRelaxed?: boolean | undefined;
  /** Where the host that a client names has its repositories: `/srv/%H%D`. Clients that name none get `basePath`. */
  readonly interpolatedPath?: string | undefined;
  /** Allow `~alice/x`: this directory in the user's home, or the home itself when empty. */
  readonly userPath?: string | undefined;
  /** Take paths as they are, without a search for `/.git` and `.git`. Then only what `directories` name is served. */
  readonly strictPaths?: boolean | undefined;
  /** Serve only what is below these, or, with `strictPaths`, these alone. */
  readonly directories?: readonly string[] | undefined;
  /** Also those without a file `git-daemon-export-ok`. */
  readonly exportAll?: boolean | undefined;
  /** Go where symlinks, `gitdir:` and alternates files lead, even out of the directories named here, as C git does. */
  readonly followLinks?: boolean | undefined;
  /** What the system knows of a host, for `%CH` and `%IP`. */
  readonly lookUpHost?: ((host: string) => Promise<HostNames | undefined>) | undefined;
}

/** What is known of a host by its name. */
export interface HostNames {
  readonly canonicalHost: string;
  readonly address: string;
}

/** What a client asks for. */
export interface ExportRequest {
  /** As the client wrote it, decoded once. */
  readonly path: string;
  /** The name by which it knows the server. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** What is there of a request; `why` is for a log. */
export type ExportFinding =
  | {
      readonly status: "found";
      readonly layout: RepositoryLayout;
      /** Where it was found, symlinks not resolved. */
      readonly path: string;
    }
  | { readonly status: "absent" | "not-exported"; readonly why: string };

/** The repositories that a directory tree exports. */
export interface ExportedRepositories {
  find(request: ExportRequest): Promise<ExportFinding>;
}

/** The system takes no longer paths. Unit: bytes. */
const MAX_PATH_BYTES = 4095;

/** A place to look at, and what may not be left from there. */
interface Place {
  readonly path: string;
  readonly roots: readonly string[];
  /** As it may stand in the list of directories, beside `path`. */
  readonly alias?: string | undefined;
}

class Refused extends Error {}

/** Finds repositories as git-daemon does. Spec: git-daemon. */
export function exportedRepositories(options: ExportedRepositoriesOptions): ExportedRepositories {
  const directories = (options.directories ?? []).map((path) =>
    path.startsWith("~") ? path : resolve(path),
  );
  return {
    async find(request) {
      try {
        return await find({ ...options, directories }, request);
      } catch (error) {
        if (error instanceof Refused) return { status: "absent", why: error.message };
        if (!ABSENT.has(systemCode(error) ?? "")) throw error;
        return { status: "absent", why: `'${request.path}' cannot be looked at: ${systemCode(error)}` };
      }
    },
  };
}

type Settings = ExportedRepositoriesOptions & { readonly directories: readonly string[] };

async function find(settings: Settings, request: ExportRequest): Promise<ExportFinding> {
  const { basePath, basePathRelaxed = false, strictPaths: strict = false, exportAll = false } = settings;
  if (isAliased(request.path)) throw new Refused(`'${request.path}': aliased`);
  let place = await placeOf(settings, request);
  let found = await findRepositoryAt(sizedPath(place.path), { strict });
  if (found === undefined && basePath !== undefined && basePathRelaxed) {
    place = { path: request.path, roots: ["/"] };
    if (request.path.startsWith("/")) found = await findRepositoryAt(sizedPath(place.path), { strict });
  }
  if (found === undefined) throw new Refused(`'${place.path}' does not appear to be a git repository`);
  const roots = rootsOf(settings, place, found.path);
  if (roots === undefined) throw new Refused(`'${found.path}': not in directory list`);
  const layout = await containedLayout(found.layout, settings.followLinks ? ["/"] : roots, (target) => {
    throw new Refused(`'${found.path}': needs '${target}', which is out of what is served`);
  });
  if (layout === undefined) throw new Refused(`'${found.path}' changed while it was looked at`);
  if (exportAll || (await isMarked(layout))) return { status: "found", layout, path: found.path };
  return { status: "not-exported", why: `'${found.path}': repository not exported.` };
}

/** Where to look for what a client asks for. */
async function placeOf(
  { basePath, interpolatedPath, userPath, strictPaths = false, lookUpHost }: Settings,
  { path, host, port }: ExportRequest,
): Promise<Place> {
  if (path.startsWith("~")) {
    if (userPath === undefined) throw new Refused(`'${path}': User-path not allowed`);
    const slash = path.includes("/") ? path.indexOf("/") : path.length;
    const [user, rest] = [path.slice(1, slash), path.slice(slash)];
    const home = strictPaths ? undefined : (await findSystemUser(user))?.home;
    if (home === undefined) throw new Refused(`'${path}' does not appear to be a git repository`);
    const root = userPath === "" ? home : `${home}/${userPath}`;
    return {
      path: root + rest,
      roots: [resolve(root)],
      alias: `~${user}${userPath && "/"}${userPath}${rest}`,
    };
  }
  if (!path.startsWith("/")) throw new Refused(`'${path}': Non-absolute path denied`);
  if (interpolatedPath !== undefined && host !== undefined) {
    const known = { host: sanitizeHost(host), port: port === undefined ? "" : String(port) };
    const lookUp = async () => (await lookUpHost?.(known.host)) ?? { canonicalHost: "", address: "" };
    const filled = await interpolatePath(interpolatedPath, { ...known, lookUp, directory: path });
    return { path: filled, roots: [resolve(fixedPartOf(interpolatedPath))] };
  }
  if (basePath !== undefined) return { path: basePath + path, roots: [resolve(basePath)] };
  // Otherwise whoever leaves the host away has the run of the disk.
  if (interpolatedPath !== undefined) throw new Refused(`'${path}': no host was named`);
  return { path, roots: ["/"] };
}

function sizedPath(path: string): string {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new Refused("the path is too long");
  return path;
}

/** What a repository found at `path` may not lead out of; `undefined` when it is not in the list. */
function rootsOf(
  { directories, strictPaths = false }: Settings,
  { roots, path: asked, alias }: Place,
  path: string,
): readonly string[] | undefined {
  if (directories.length === 0) return strictPaths ? undefined : roots;
  // What was put behind the path is put behind its other name, too.
  const names = alias === undefined ? [path] : [path, alias + path.slice(resolve(asked).length)];
  const isListed = names.some((name) =>
    directories.some((directory) => (strictPaths ? name === directory : isBelow(name, directory))),
  );
  if (!isListed) return undefined;
  // A user who is listed by name lives anywhere.
  const listed = directories.filter((directory) => !directory.startsWith("~"));
  return alias === undefined ? listed : [...listed, ...roots];
}

async function isMarked({ gitDirectory }: RepositoryLayout): Promise<boolean> {
  return access(`${gitDirectory}/git-daemon-export-ok`).then(
    () => true,
    () => false,
  );
}

/** It could mean another path, or starts nowhere. */
function isAliased(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (!/^[/~]/.test(path) || /[\x00-\x1f\x7f]/.test(path)) return true;
  return /\/(?:\/|\.{1,2}(?:\/|$))|^~\.{0,2}(?:\/|$)/.test(path);
}
