import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { systemCode } from "../errors.ts";

/**
 * Git's lock on the index of a work tree: nobody else changes the index, or files by it, while `index.lock` is there.
 * One that is left behind is never broken.
 */
export class IndexLock {
  readonly #path: string;
  #descriptor: number | undefined;
  #held = true;

  private constructor(path: string, descriptor: number) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  /** @param path the index. @returns `undefined` when it is locked already */
  static take(path: string): IndexLock | undefined {
    try {
      return new IndexLock(path, openSync(`${path}.lock`, "wx", 0o666));
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
      return undefined;
    }
  }

  /** Puts the new index in place; the lock is gone. Yields between chunks. @param sync wait for the disk */
  *commit(chunks: Iterable<Uint8Array>, sync: boolean): Generator<void, void> {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw new Error("the lock on the index is gone");
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at, chunk.length - at);
      yield;
    }
    if (sync) fsyncSync(descriptor);
    this.#close();
    renameSync(`${this.#path}.lock`, this.#path);
    this.#held = false;
    if (sync) syncDirectory(this.#path.slice(0, this.#path.lastIndexOf("/")));
  }

  /** Gives the lock up, if it is still held. */
  release(): void {
    this.#close();
    if (!this.#held) return;
    this.#held = false;
    unlinkSync(`${this.#path}.lock`);
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
