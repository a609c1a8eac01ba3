import { constants } from "node:fs";
import { type ObjectFormat, type ObjectId, zeroId } from "@x/objects";
import { bytesFromByteString, type ReflogEntry } from "@x/refs";
import { parseConfigBoolean } from "../config/config-value.ts";
import { fromBytePath, parentOf } from "../disk/byte-path.ts";
import { open, unlink } from "../disk/quick-files.ts";
import { makeShared, share } from "../disk/shared-access.ts";
import { systemCode } from "../errors.ts";
import { type RefFiles, removeEmptyTree } from "./ref-files.ts";

/*
 * logs/<ref>: <old id> SP <new id> SP <committer> SP <seconds> SP <zone> [TAB <message>] LF, oldest first.
 */

/** Which refs get a log that have none yet. Existing logs are always continued. */
export type ReflogPolicy = "none" | "branches" | "always";

/** Spec: git-config, `core.logAllRefUpdates`. */
export function reflogPolicy(value: string | undefined, bare: boolean): ReflogPolicy {
  if (value?.toLowerCase() === "always") return "always";
  const wanted = value === undefined ? undefined : parseConfigBoolean(value);
  return (wanted ?? !bare) ? "branches" : "none";
}

/** A change of a ref; `undefined` stands for a ref that is not there. */
export interface RefChange {
  readonly from: ObjectId | undefined;
  readonly to: ObjectId | undefined;
}

const LOGGED = ["refs/heads/", "refs/remotes/", "refs/notes/"] as const;

/** The logs of what refs were. */
export class Reflogs {
  readonly #files: RefFiles;
  readonly #format: ObjectFormat;
  readonly #policy: ReflogPolicy;
  readonly #warn: (message: string) => void;

  constructor(files: RefFiles, format: ObjectFormat, policy: ReflogPolicy, warn: (message: string) => void) {
    this.#files = files;
    this.#format = format;
    this.#policy = policy;
    this.#warn = warn;
  }

  /** Adds a line. A log that cannot be written is no reason to refuse a change: it is warned of. */
  async append(name: string, change: RefChange, entry: ReflogEntry): Promise<void> {
    const none = zeroId(this.#format);
    const message = entry.message.replace(/\s+/g, " ").trim();
    const line =
      `${change.from ?? none} ${change.to ?? none} ${oneLine(entry.committer)} ${timestamp()}` +
      `${message === "" ? "" : `\t${message}`}\n`;
    try {
      await this.#write(name, bytesFromByteString(line));
    } catch (error) {
      this.#warn(`unable to append to the reflog of ${name}: ${systemCode(error) ?? String(error)}`);
    }
  }

  /** Removes the log of a ref that is gone. */
  async remove(name: string): Promise<void> {
    const path = this.#pathOf(name);
    try {
      await unlink(fromBytePath(path));
    } catch (error) {
      const code = systemCode(error);
      if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "EISDIR" && code !== "EPERM")
        this.#warn(`unable to remove the reflog of ${name}: ${code}`);
      return;
    }
    await this.#files.removeEmptyParents(path, `${this.#files.baseOf(name)}/logs`);
  }

  #pathOf(name: string): string {
    return `${this.#files.baseOf(name)}/logs/${name}`;
  }

  async #write(name: string, line: Uint8Array): Promise<void> {
    const path = this.#pathOf(name);
    const create = createsReflog(this.#policy, name);
    for (let attempt = 0; ; attempt++) {
      try {
        const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW;
        const file = await open(fromBytePath(path), create ? flags | constants.O_CREAT : flags, 0o666);
        try {
          if (create) await share(fromBytePath(path), this.#files.access);
          await file.writeFile(line);
        } finally {
          await file.close();
        }
        return;
      } catch (error) {
        const code = systemCode(error);
        if (!create && (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR")) return;
        if (attempt === 3) throw error;
        if (code === "ENOENT") await makeShared(parentOf(path), this.#files.access);
        else if (code !== "EISDIR" || !(await removeEmptyTree(path))) throw error;
      }
    }
  }
}

/** Whether a ref that has no log gets one. */
export function createsReflog(policy: ReflogPolicy, name: string): boolean {
  if (policy === "always") return true;
  return policy === "branches" && (name === "HEAD" || LOGGED.some((prefix) => name.startsWith(prefix)));
}

/** What can stand in one line of a log. */
export function oneLine(committer: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get into a line
  return committer.replace(/[\x00-\x1f\x7f]+/g, " ").trim();
}

/** `<seconds> <zone>`, the zone as `+hhmm`. */
export function timestamp(): string {
  const now = new Date();
  const offset = -now.getTimezoneOffset();
  const digits = (value: number) => String(value).padStart(2, "0");
  const zone = digits(Math.floor(Math.abs(offset) / 60)) + digits(Math.abs(offset) % 60);
  return `${Math.floor(now.getTime() / 1000)} ${offset < 0 ? "-" : "+"}${zone}`;
}
