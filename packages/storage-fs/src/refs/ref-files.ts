import type { PathLike } from "node:fs";
import { lstat, mkdir, readdir, readlink, rmdir } from "node:fs/promises";
import type { ObjectFormat } from "@x/objects";
import {
  isSymbolicTarget,
  isValidRefName,
  parentRefNames,
  parseLooseRef,
  type RefTarget,
  refPlace,
} from "@x/refs";
import { fromBytePath, parentOf, toBytePath } from "../disk/byte-path.ts";
import { QuickLook } from "../disk/quick-look.ts";
import { type SharedAccess, share } from "../disk/shared-access.ts";
import { type NotSmallFile, readSmallFile, readSmallFileSync } from "../disk/small-file.ts";
import { systemCode } from "../errors.ts";
import type { RepositoryLayout } from "../repository/layout.ts";

/** A loose ref is an id or a name, and a name is a path. Unit: bytes. */
export const MAX_LOOSE_REF_BYTES: number = 8 * 1024;
const LIMIT = { maxBytes: MAX_LOOSE_REF_BYTES };
/** Refs that every work tree has for itself. Spec: gitrepository-layout, "refs". */
export const PER_WORKTREE = ["refs/bisect/", "refs/rewritten/", "refs/worktree/"] as const;

/** `missing`: there is no file. `broken`: there is one that is no ref. `directory`: refs may lie below it. */
export type LooseState = RefTarget | "missing" | "broken" | "directory";

/** The loose refs of a repository: one file each, below the git directory. */
export class RefFiles {
  readonly #gitDirectory: string;
  readonly #commonDirectory: string;
  readonly #format: ObjectFormat;
  /** What others may do with what is made here. */
  readonly access: SharedAccess | undefined;
  readonly #quick = new QuickLook();

  constructor(layout: RepositoryLayout, format: ObjectFormat, access?: SharedAccess) {
    this.access = access;
    this.#gitDirectory = toBytePath(layout.gitDirectory);
    this.#commonDirectory = toBytePath(layout.commonDirectory);
    this.#format = format;
  }

  /** The directory that `name` is a path in: the work tree's own for what it does not share. */
  baseOf(name: string): string {
    const own = !name.startsWith("refs/") || PER_WORKTREE.some((prefix) => name.startsWith(prefix));
    return own ? this.#gitDirectory : this.#commonDirectory;
  }

  /** The byte path of the file of `name`. */
  pathOf(name: string): string {
    const place = refPlace(name);
    if (place.kind === "main") return `${this.#commonDirectory}/${place.name}`;
    // `worktrees/<id>/<name>` is the path already.
    if (place.kind === "worktree") return `${this.#commonDirectory}/${name}`;
    return `${this.baseOf(name)}/${name}`;
  }

  /** What the file of `name` says. A symlink is a symbolic ref when its target is a ref name, and never followed. */
  async read(name: string): Promise<LooseState> {
    const path = fromBytePath(this.pathOf(name));
    const file = await this.#quick.look(
      () => readSmallFileSync(path, LIMIT),
      () => readSmallFile(path, LIMIT),
    );
    return this.#stateOf(path, file);
  }

  async #stateOf(path: PathLike, file: Buffer | NotSmallFile): Promise<LooseState> {
    switch (file) {
      case "missing":
      case "directory":
        return file;
      case "too-large":
        return "broken";
      case "symlink": {
        const target = await readlink(path, { encoding: "latin1" }).catch(() => "");
        return isSymbolicTarget(target) ? { kind: "symbolic", name: target } : "broken";
      }
      default:
        return parseLooseRef(file, this.#format) ?? "broken";
    }
  }

  /**
   * Makes the directories that the file of `name` lies in.
   * @returns the byte paths of directories that got a new entry, or `undefined` when a file is in the way
   */
  async makeParents(name: string): Promise<string[] | undefined> {
    const base = this.baseOf(name);
    const changed: string[] = [];
    for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) {
      const directory = `${base}/${name.slice(0, at)}`;
      try {
        await mkdir(fromBytePath(directory));
        await share(fromBytePath(directory), this.access);
        changed.push(parentOf(directory));
      } catch (error) {
        const code = systemCode(error);
        if (code === "ENOTDIR") return undefined;
        // Somebody removes empty directories at the same time: the caller tries again.
        if (code === "ENOENT") return changed;
        if (code !== "EEXIST") throw error;
        const found = await lstat(fromBytePath(directory)).catch(() => undefined);
        if (found !== undefined && !found.isDirectory()) return undefined;
      }
    }
    return changed;
  }

  /** The ref whose file stands where `name` needs a directory. */
  async firstAbove(name: string): Promise<string | undefined> {
    for (const parent of parentRefNames(name)) {
      const state = await this.read(parent);
      if (state !== "missing" && state !== "directory") return parent;
    }
    return undefined;
  }

  /** The first ref below `name`, in byte order. */
  async firstBelow(name: string): Promise<string | undefined> {
    const directory = fromBytePath(this.pathOf(name));
    const entries = await readdir(directory, { encoding: "latin1", withFileTypes: true }).catch(noEntries);
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const below = `${name}/${entry.name}`;
      const found = entry.isDirectory() ? await this.firstBelow(below) : below;
      if (found !== undefined && isValidRefName(found)) return found;
    }
    return undefined;
  }

  /** Removes the directories that the file of `name` lay in and that are empty now, down from the third level. */
  async removeEmptyParents(path: string, base: string): Promise<void> {
    const floor = base.length + 1;
    for (let directory = parentOf(path); ; directory = parentOf(directory)) {
      // `refs/heads` and its like stay, as C git leaves them.
      if (directory.length <= floor || directory.slice(floor).split("/").length < 3) return;
      try {
        await rmdir(fromBytePath(directory));
      } catch {
        return; // not empty, or somebody else was faster
      }
    }
  }
}

/**
 * Removes a directory that holds nothing but empty directories. @returns whether it is gone
 */
export async function removeEmptyTree(directory: string): Promise<boolean> {
  const found: string[] = [directory];
  // Parents stand before their children.
  for (let at = 0; at < found.length; at++) {
    const current = found[at] as string;
    const entries = await readdir(fromBytePath(current), { encoding: "latin1", withFileTypes: true }).catch(
      noEntries,
    );
    for (const entry of entries) {
      if (!entry.isDirectory()) return false;
      found.push(`${current}/${entry.name}`);
    }
  }
  for (const empty of found.reverse()) {
    try {
      await rmdir(fromBytePath(empty));
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOTEMPTY" || code === "EEXIST") return false;
      if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    }
  }
  return true;
}

function noEntries(error: unknown): never[] {
  const code = systemCode(error);
  if (code === "ENOENT" || code === "ENOTDIR") return [];
  throw error;
}
