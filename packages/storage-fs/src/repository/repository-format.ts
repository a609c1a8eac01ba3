import type { ObjectFormat } from "@x/objects";
import { parseConfigBoolean, parseConfigInteger } from "../config/config-value.ts";
import type { FileConfig } from "../config/repository-config.ts";
import { StorageFsError } from "../errors.ts";

/** How a repository is kept, as far as reading it depends on that. */
export interface RepositoryFormat {
  readonly version: 0 | 1;
  readonly objectFormat: ObjectFormat;
  readonly refStorage: RefStorage;
  /** `core.bare`; `undefined` when it does not say. */
  readonly bare: boolean | undefined;
  /** The remote that objects missing here are promised by. */
  readonly partialClone: string | undefined;
  /** Nothing may be pruned. */
  readonly preciousObjects: boolean;
}

/** What keeps the refs. */
export interface RefStorage {
  readonly backend: "files" | "reftable";
  /** The directory they lie in, where that is not the git directory; relative to the common one. */
  readonly path: string | undefined;
}

/** Known in version 0 too, where C git reads them for its own history's sake. */
const EXTENSIONS_V0: ReadonlySet<string> = new Set([
  "noop",
  "partialclone",
  "preciousobjects",
  "worktreeconfig",
]);
const EXTENSIONS_V1: ReadonlySet<string> = new Set([
  "noop-v1",
  "objectformat",
  "refstorage",
  "relativeworktrees",
  "submodulepathconfig",
]);
/** Known to C git, and not to us: a repository with these has to be refused in either version. */
const EXTENSIONS_REFUSED: ReadonlySet<string> = new Set(["compatobjectformat"]);

/**
 * Whether the repository may be touched at all, and how. Wording as in C git.
 * Spec: gitrepository-layout... "Git Repository Format Versions" (gitrepository-format); git-config, `extensions.*`.
 * @throws StorageFsError `storage-fs/unsupported-repository`, naming what is unknown; `storage-fs/bad-config`
 */
export function readRepositoryFormat(config: FileConfig): RepositoryFormat {
  const bareText = config.get("core.bare");
  const bare = bareText === undefined ? undefined : boolean("core.bare", bareText);
  const versionText = config.get("core.repositoryFormatVersion");
  // C git forgets all extensions when there is no version.
  if (versionText === undefined)
    return {
      version: 0,
      objectFormat: "sha1",
      refStorage: refStorage(undefined),
      bare,
      partialClone: undefined,
      preciousObjects: false,
    };
  const version = parseConfigInteger(versionText);
  if (version === undefined)
    throw new StorageFsError(
      "storage-fs/bad-config",
      `bad numeric config value '${versionText}' for 'core.repositoryformatversion'`,
    );
  if (version !== 0 && version !== 1) throw unsupported(`Expected git repo version <= 1, found ${version}`);
  checkExtensions(config, version);
  const precious = config.get("extensions.preciousObjects");
  return {
    version,
    objectFormat: objectFormat(config.get("extensions.objectFormat")),
    refStorage: refStorage(config.get("extensions.refStorage")),
    bare,
    partialClone: config.get("extensions.partialClone"),
    preciousObjects: precious !== undefined && boolean("extensions.preciousobjects", precious),
  };
}

function checkExtensions(config: FileConfig, version: 0 | 1): void {
  for (const key of config.keys()) {
    if (!key.startsWith("extensions.")) continue;
    const extension = key.slice("extensions.".length);
    if (EXTENSIONS_V0.has(extension)) continue;
    if (version === 0) {
      if (EXTENSIONS_V1.has(extension) || EXTENSIONS_REFUSED.has(extension))
        throw unsupported(`repo version is 0, but v1-only extension found: ${extension}`);
    } else if (!EXTENSIONS_V1.has(extension)) {
      throw unsupported(`unknown repository extension found: ${extension}`);
    }
  }
}

/** `<backend>`, or `<backend>://<path>`. */
function refStorage(text: string | undefined): RefStorage {
  const value = text ?? "files";
  const split = value.indexOf("://");
  const backend = split < 0 ? value : value.slice(0, split);
  if (backend !== "files" && backend !== "reftable")
    throw unsupported(`invalid value for 'extensions.refstorage': '${value}'`);
  return { backend, path: split < 0 ? undefined : value.slice(split + 3) };
}

function objectFormat(text: string | undefined): ObjectFormat {
  if (text === undefined || text === "sha1" || text === "sha256") return text ?? "sha1";
  throw unsupported(`invalid value for 'extensions.objectformat': '${text}'`);
}

function boolean(key: string, value: string): boolean {
  const parsed = parseConfigBoolean(value);
  if (parsed === undefined)
    throw new StorageFsError("storage-fs/bad-config", `bad boolean config value '${value}' for '${key}'`);
  return parsed;
}

function unsupported(message: string): StorageFsError {
  return new StorageFsError("storage-fs/unsupported-repository", message);
}
