import { access, constants, readFile } from "node:fs/promises";
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

/** A push of many refs asks for its update hook with each; where hooks are is looked up once in this time. Unit: milliseconds. */
const PLACE_MS = 1000;

/** Looks for scripts, and says once of each that it is there and cannot be run. */
export class HookFinder {
  readonly #told = new Set<string>();
  readonly #logger: Logger | undefined;
  #latest = { directory: "", until: 0, common: Promise.resolve("") };

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  /** @returns a path as git would start it: from `$GIT_DIR` where it lies in there; `undefined` when there is none to run */
  async find(place: HookPlace, name: string): Promise<string | undefined> {
    const folder = place.hooksPath ?? join(await this.#commonDirectory(place.directory), "hooks");
    const path = join(folder, name);
    const full = resolve(place.directory, path);
    try {
      await access(full, constants.X_OK);
      return isAbsolute(path) || path.includes("/") ? path : `./${path}`;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EACCES") this.#tell(full, name);
      return undefined;
    }
  }

  #commonDirectory(directory: string): Promise<string> {
    const now = performance.now();
    if (this.#latest.directory !== directory || this.#latest.until < now)
      this.#latest = { directory, until: now + PLACE_MS, common: commonDirectory(directory) };
    return this.#latest.common;
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

/** Linked work trees share their hooks. As git would write it: nothing for the directory itself. Spec: gitrepository-layout, `commondir`. */
async function commonDirectory(directory: string): Promise<string> {
  const text = await readFile(join(directory, "commondir"), "utf8").catch(() => "");
  const path = text.trimEnd();
  return path === "" || path.length > 4096 ? "" : path;
}
