import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { matchesPath } from "@x/objects";
import { readSmallFile } from "../disk/small-file.ts";
import { StorageFsError, systemCode } from "../errors.ts";
import type { RepositoryLayout } from "../repository/layout.ts";
import { bytesOf } from "./config-environment.ts";
import { type ConfigEntry, parseConfig } from "./config-file.ts";
import { MAX_CONFIG_BYTES } from "./repository-config.ts";

/** Where a setting comes from. Spec: git-config, "SCOPES". */
export type ConfigScope = "system" | "global" | "local" | "worktree" | "command";

/** A setting with its origin. */
export interface ScopedConfigEntry extends ConfigEntry {
  readonly scope: ConfigScope;
  /** The file, as git names it in its messages; `undefined` for the environment. */
  readonly file: string | undefined;
  /** It is in a file that was included on a condition. */
  readonly conditional: boolean;
}

/** C git's own bound on includes within includes. */
const MAX_INCLUDE_DEPTH = 10;
/** Config files read for one repository: includes of includes multiply. */
const MAX_CONFIG_FILES = 1000;

/** The file whose entries are being read. */
interface Origin {
  readonly scope: ConfigScope;
  readonly path: string | undefined;
  readonly shown: string | undefined;
  readonly depth: number;
  readonly conditional: boolean;
  /** Included because of a remote's URL: no such URL may be set here. */
  readonly becauseOfUrl: boolean;
}

/** Collects entries, those of included files at the place of the include. Spec: git-config, "Includes". */
export class ConfigReader {
  readonly entries: ScopedConfigEntry[] = [];
  readonly #layout: RepositoryLayout;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #read: (reader: ConfigReader) => Promise<void>;
  readonly #anyUrl: boolean;
  #urls: readonly string[] | undefined;
  #files = 0;

  /** @param options `read` reads all there is; it is called again to learn of remotes. `anyUrl`: that is what this one is for. */
  constructor(options: {
    readonly layout: RepositoryLayout;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly read: (reader: ConfigReader) => Promise<void>;
    readonly anyUrl?: boolean;
  }) {
    this.#layout = options.layout;
    this.#env = options.env;
    this.#read = options.read;
    this.#anyUrl = options.anyUrl ?? false;
  }

  /** The last value in the repository's own file, includes left out. */
  own(key: string): string | undefined {
    const found = this.entries.findLast((entry) => entry.key === key && entry.file === "config");
    return found && (found.value ?? "true");
  }

  /**
   * Reads a file if it is there.
   * @param path its bytes, one character for each
   * @throws StorageFsError `storage-fs/bad-config`
   */
  async readFile(path: string, scope: ConfigScope, shown: string = path): Promise<void> {
    await this.#readOrigin({ scope, path, shown, depth: 0, conditional: false, becauseOfUrl: false });
  }

  /** Takes entries of the environment. */
  async add(entries: readonly ConfigEntry[]): Promise<void> {
    const origin = { path: undefined, shown: undefined, depth: 0, conditional: false, becauseOfUrl: false };
    await this.#take(entries, { ...origin, scope: "command" });
  }

  /** @returns whether there is such a file */
  async #readOrigin(origin: Origin & { readonly path: string; readonly shown: string }): Promise<void> {
    if (++this.#files > MAX_CONFIG_FILES) throw bad(`more than ${MAX_CONFIG_FILES} config files`);
    const file = await readSmallFile(Buffer.from(origin.path, "latin1"), {
      maxBytes: MAX_CONFIG_BYTES,
      followSymlink: true,
    }).catch((error: unknown) => {
      if (systemCode(error) !== "EACCES") throw error;
      if (origin.scope === "global" && origin.depth === 0) return "missing" as const;
      throw bad(`unable to access '${origin.shown}': Permission denied`);
    });
    if (file === "missing") return;
    if (typeof file === "string") throw bad(`unable to read config file '${origin.shown}': ${file}`);
    let entries: readonly ConfigEntry[];
    try {
      entries = parseConfig(file);
    } catch (error) {
      if (!(error instanceof StorageFsError)) throw error;
      const name = origin.shown.includes("/") ? origin.shown : `./${origin.shown}`;
      throw new StorageFsError("storage-fs/bad-config", `${error.message} in file ${name}`, {
        cause: error.cause,
      });
    }
    await this.#take(entries, origin);
  }

  async #take(entries: readonly ConfigEntry[], origin: Origin): Promise<void> {
    const { scope, shown: file, conditional } = origin;
    for (const entry of entries) {
      this.entries.push({ ...entry, scope, file, conditional });
      if (origin.becauseOfUrl && isRemoteUrl(entry.key))
        throw bad(
          "remote URLs cannot be configured in file directly or indirectly included by includeIf.hasconfig:remote.*.url",
        );
      if (entry.key === "include.path") await this.#include(entry, origin);
      else if (entry.key.startsWith("includeif.") && entry.key.endsWith(".path")) {
        const condition = entry.key.slice("includeif.".length, -".path".length);
        if (await this.#holds(condition, origin)) {
          const becauseOfUrl = origin.becauseOfUrl || (!this.#anyUrl && condition.startsWith(HAS_URL));
          await this.#include(entry, { ...origin, conditional: true, becauseOfUrl });
        }
      }
    }
  }

  async #include({ value }: ConfigEntry, origin: Origin): Promise<void> {
    if (value === undefined) throw bad("missing value for 'include.path'");
    const expanded = this.#expandHome(value);
    if (expanded === undefined) throw bad(`could not expand include path '${value}'`);
    let path = expanded;
    let shown = expanded;
    if (!expanded.startsWith("/")) {
      if (origin.path === undefined || origin.shown === undefined)
        throw bad("relative config includes must come from files");
      path = directoryOf(origin.path) + expanded;
      shown = directoryOf(origin.shown) + expanded;
    }
    const depth = origin.depth + 1;
    if (depth > MAX_INCLUDE_DEPTH)
      throw bad(
        `exceeded maximum include depth (${MAX_INCLUDE_DEPTH}) while including ${shown} from ${origin.shown ?? "the command line"}`,
      );
    await this.#readOrigin({ ...origin, path, shown, depth });
  }

  #expandHome(path: string): string | undefined {
    if (!path.startsWith("~")) return path;
    const home = this.#env.HOME;
    if (home === undefined || (path !== "~" && !path.startsWith("~/"))) return undefined;
    return bytesOf(home) + path.slice(1);
  }

  async #holds(condition: string, origin: Origin): Promise<boolean> {
    const colon = condition.indexOf(":");
    const pattern = condition.slice(colon + 1);
    switch (condition.slice(0, colon)) {
      case "gitdir":
        return this.#isAt(pattern, origin, false);
      case "gitdir/i":
        return this.#isAt(pattern, origin, true);
      case "onbranch":
        return this.#isOnBranch(pattern);
      case "hasconfig":
        if (!condition.startsWith(HAS_URL)) return false;
        return this.#anyUrl || this.#hasUrl(condition.slice(HAS_URL.length));
      default:
        return false; // C git passes over what it does not know, too
    }
  }

  async #isAt(condition: string, origin: Origin, ignoreCase: boolean): Promise<boolean> {
    let pattern = this.#expandHome(condition) ?? condition;
    let literal = "";
    if (pattern.startsWith("./")) {
      if (origin.path === undefined) throw bad("relative config include conditionals must come from files");
      literal = directoryOf(bytesOf(await realpath(pathOf(origin.path))));
      pattern = pattern.slice(2);
    } else if (!pattern.startsWith("/")) pattern = `**/${pattern}`;
    if (pattern.endsWith("/") || (literal !== "" && pattern === "")) pattern += "**";
    const { gitDirectory } = this.#layout;
    const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text);
    for (const path of [await realpath(gitDirectory), resolve(gitDirectory)]) {
      const text = bytesOf(path);
      if (!fold(text).startsWith(fold(literal))) continue;
      if (matchesPath(pattern, text.slice(literal.length), { ignoreCase })) return true;
    }
    return false;
  }

  async #isOnBranch(condition: string): Promise<boolean> {
    const head = await readSmallFile(`${this.#layout.gitDirectory}/HEAD`, { maxBytes: 64 * 1024 });
    if (typeof head === "string") return false;
    const branch = /^ref:\s*refs\/heads\/(.*?)\s*$/s.exec(head.toString("latin1"))?.[1];
    const pattern = condition.endsWith("/") ? `${condition}**` : condition;
    return branch !== undefined && matchesPath(pattern, branch, { ignoreCase: false });
  }

  async #hasUrl(pattern: string): Promise<boolean> {
    if (this.#urls === undefined) {
      const all = new ConfigReader({ layout: this.#layout, env: this.#env, read: this.#read, anyUrl: true });
      await this.#read(all);
      this.#urls = all.entries.filter(({ key }) => isRemoteUrl(key)).map(({ value }) => value ?? "");
    }
    return this.#urls.some((url) => matchesPath(pattern, url, { ignoreCase: false }));
  }
}

const HAS_URL = "hasconfig:remote.*.url:";

function isRemoteUrl(key: string): boolean {
  return key.startsWith("remote.") && key.endsWith(".url") && key.length > "remote..url".length;
}

/** With its slash; empty for a name alone. */
function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

function pathOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

function bad(message: string): StorageFsError {
  return new StorageFsError("storage-fs/bad-config", message);
}
