import { access, constants, readdir, readFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import type { Logger } from "@x/server-core";

/** Where the scripts of a repository are. */
export interface HookPlace {
  /** `$GIT_DIR`. */
  readonly directory: string;
  /** Instead of `hooks` in it. A relative path starts in `$GIT_DIR`. */
  readonly hooksPath: string | undefined;
}

/** Scripts that were told to be no programs, each told once; no more of them are remembered. */
const MAX_TOLD = 1024;

interface Folder {
  /** As git would write it. */
  readonly path: string;
  /** What is in there; `undefined` when it cannot be listed. */
  readonly names: ReadonlySet<string> | undefined;
}

/** Looks for scripts, and says once of each that it is there and cannot be run. */
export class HookFinder {
  readonly #told = new Set<string>();
  readonly #logger: Logger | undefined;
  readonly #folders = new WeakMap<object, Promise<Folder>>();

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  /**
   * @param push stands for one push, for which the folder is looked through once: most repositories have no hooks, and a
   *   push of many refs asks for its update hook with each
   * @returns a path as git would start it: from `$GIT_DIR` where it lies in there; `undefined` when there is none to run
   */
  async find(place: HookPlace, name: string, push: object): Promise<string | undefined> {
    const { path: parent, names } = await this.#folderOf(place, push);
    if (names?.has(name) === false) return undefined;
    const path = join(parent, name);
    const full = resolve(place.directory, path);
    try {
      await access(full, constants.X_OK);
      return isAbsolute(path) || path.includes("/") ? path : `./${path}`;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EACCES") this.#tell(full, name);
      return undefined;
    }
  }

  /** Whether there is anything by one of these names, or the folder cannot be looked through. As {@link find}. */
  async mayFind(place: HookPlace, names: readonly string[], push: object): Promise<boolean> {
    const folder = await this.#folderOf(place, push);
    return folder.names === undefined || names.some((name) => folder.names?.has(name));
  }

  #folderOf(place: HookPlace, push: object): Promise<Folder> {
    const folder = this.#folders.get(push) ?? lookThrough(place);
    this.#folders.set(push, folder);
    return folder;
  }

  #tell(path: string, name: string): void {
    if (this.#told.has(path) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(path);
    this.#logger?.warn(
      { hook: name, path },
      `the '${name}' hook was ignored because it's not set as executable`,
    );
  }
}

async function lookThrough({ directory, hooksPath }: HookPlace): Promise<Folder> {
  if (hooksPath !== undefined) return list(directory, hooksPath);
  // At once, for mostly no other directory is named.
  const [common, own] = await Promise.all([commonDirectory(directory), list(directory, "hooks")]);
  return common === "" ? own : list(directory, join(common, "hooks"));
}

async function list(directory: string, path: string): Promise<Folder> {
  try {
    return { path, names: new Set(await readdir(resolve(directory, path))) };
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { path, names: isMissing ? new Set() : undefined };
  }
}

/** Linked work trees share their hooks. As git would write it: nothing for the directory itself. Spec: gitrepository-layout, `commondir`. */
async function commonDirectory(directory: string): Promise<string> {
  const text = await readFile(join(directory, "commondir"), "utf8").catch(() => "");
  const path = text.trimEnd();
  return path === "" || path.length > 4096 ? "" : path;
}
