import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { fromBytePath } from "../disk/byte-path.ts";
import { systemCode } from "../errors.ts";
import { isGitlink, NO_STAT, type StatData, SYMLINK } from "./index-entry.ts";
import { LeadingPaths } from "./leading-path.ts";
import { lstatOf, statDataOf } from "./stat-data.ts";
import type { TreeFile } from "./tree-files.ts";

/** Changes the files of a work tree. No symlink in it is followed. */
export class FileChanges {
  readonly #root: string;
  readonly #symlinks: boolean;
  readonly #leading: LeadingPaths;

  /** @param root the work tree, a byte path */
  constructor(root: string, options: { readonly symlinks: boolean }) {
    this.#root = root;
    this.#symlinks = options.symlinks;
    this.#leading = new LeadingPaths(root);
  }

  /** Removes files, then the directories that became empty. What is gone already is fine. Yields now and then. */
  *remove(entries: readonly Pick<TreeFile, "path" | "mode">[]): Generator<void, void> {
    const directories = new Set<string>();
    for (const { path, mode } of entries) {
      yield;
      if (this.#leading.look(path).kind !== "directories") continue;
      if (isGitlink(mode)) this.#removeDirectory(path);
      else this.#unlink(path);
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
        if (directories.has(path.slice(0, at))) break;
        directories.add(path.slice(0, at));
      }
    }
    this.#leading.forget();
    // The deepest first: a directory is longer than those it lies in.
    for (const directory of [...directories].sort((a, b) => b.length - a.length)) {
      yield;
      if (this.#leading.look(`${directory}/`).kind === "directories") this.#removeDirectory(directory);
      this.#leading.forget();
    }
  }

  /**
   * Puts a file in place of whatever is there.
   * @param content of the file or of the symlink; nothing for a submodule, which is an empty directory
   */
  write({ path, mode }: Pick<TreeFile, "path" | "mode">, content: Uint8Array): StatData {
    this.#makeDirectories(path);
    const full = `${this.#root}/${path}`;
    const there = lstatOf(full);
    if (isGitlink(mode)) {
      if (there !== undefined && !there.isDirectory()) unlinkSync(fromBytePath(full));
      if (there === undefined || !there.isDirectory()) mkdirSync(fromBytePath(full));
      return NO_STAT;
    }
    if (there?.isDirectory()) this.#removeEmptyTree(full);
    else if (there !== undefined) unlinkSync(fromBytePath(full));
    if (mode === SYMLINK && this.#symlinks) {
      symlinkSync(Buffer.from(content), fromBytePath(full));
      const made = lstatOf(full);
      if (made === undefined) throw new Error(`'${path}' went away`);
      return statDataOf(made);
    }
    return createFile(full, mode, content);
  }

  #makeDirectories(path: string): void {
    const above = this.#leading.look(path);
    if (above.kind === "directories") return;
    if (above.kind === "blocked") throw new Error(`'${above.path}' is in the way of '${path}'`);
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const directory = path.slice(0, slash);
      if (this.#leading.look(`${directory}/`).kind === "directories") continue;
      mkdirSync(fromBytePath(`${this.#root}/${directory}`));
      this.#leading.add(directory);
    }
  }

  #unlink(path: string): void {
    try {
      unlinkSync(fromBytePath(`${this.#root}/${path}`));
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
  }

  /** Unless something is in it. */
  #removeDirectory(path: string): void {
    try {
      rmdirSync(fromBytePath(`${this.#root}/${path}`));
    } catch (error) {
      const code = systemCode(error);
      if (code === undefined || !HARMLESS.has(code)) throw error;
    }
  }

  /** Directories without a file in them. @throws what the system says, once it meets a file */
  #removeEmptyTree(full: string): void {
    for (const name of readdirSync(fromBytePath(full), { encoding: "buffer" })) {
      const path = `${full}/${name.toString("latin1")}`;
      if (lstatOf(path)?.isDirectory()) this.#removeEmptyTree(path);
    }
    rmdirSync(fromBytePath(full));
    this.#leading.forget();
  }
}

/** Why a directory stays, without that being a failure. */
const HARMLESS: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ENOTEMPTY",
  "EEXIST",
  "EBUSY",
  "EINVAL",
]);

function createFile(full: string, mode: number, content: Uint8Array): StatData {
  const descriptor = openSync(fromBytePath(full), "wx", mode & 0o100 ? 0o777 : 0o666);
  try {
    for (let at = 0; at < content.length; ) at += writeSync(descriptor, content, at, content.length - at);
    return statDataOf(fstatSync(descriptor, { bigint: true }));
  } finally {
    closeSync(descriptor);
  }
}
