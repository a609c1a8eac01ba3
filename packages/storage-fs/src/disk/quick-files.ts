import {
  closeSync,
  fsync,
  linkSync,
  lstatSync,
  openSync,
  type PathLike,
  readdirSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";
import * as elsewhere from "node:fs/promises";
import { promisify } from "node:util";
import { type NotSmallFile, readSmallFile, readSmallFileSync } from "./small-file.ts";

/*
 * Small steps in directories and files that were looked at just before: the system has them in its memory, and takes some
 * ten microseconds for one. To hand it to another thread costs this one more than that. So they are taken at once, until
 * one takes long; to wait for the disk itself is always left to others.
 */

/** A step that takes longer had to wait for something. Unit: milliseconds. */
const SLOW_MS = 10;
/**
 * For so many times as long as a slow one took, all are left to other threads: a hundredth of the time is lost at most. On a
 * busy machine one in a while is slow that waited for nothing but its turn.
 */
const PAUSE_TIMES = 100;

/** Does steps here as long as they are quick. */
export class QuickSteps {
  readonly #now: () => number;
  #slowUntil = Number.NEGATIVE_INFINITY;

  /** @param now gives milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A step by one way or the other. Both have to come to the same. */
  step<Args extends readonly unknown[], Result>(
    here: (...args: Args) => Result,
    otherwise: (...args: Args) => Promise<Result>,
  ): (...args: Args) => Promise<Result> {
    return async (...args) => {
      const started = this.#now();
      if (started < this.#slowUntil) return otherwise(...args);
      try {
        return here(...args);
      } finally {
        const now = this.#now();
        if (now - started > SLOW_MS) this.#slowUntil = now + (now - started) * PAUSE_TIMES;
      }
    };
  }
}

/** What is done with an open file here. */
export interface OpenFile {
  writeFile(bytes: Uint8Array): Promise<void>;
  /** Waits until it has reached the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const steps = new QuickSteps();
const syncFile = promisify(fsync);

/** As in `node:fs/promises`; for little content. */
export const open: (path: PathLike, flags: string | number, mode?: number) => Promise<OpenFile> = steps.step(
  openHere,
  (path, flags, mode) => elsewhere.open(path, flags, mode),
);

/** As in `node:fs/promises`. */
export const link: (from: PathLike, to: PathLike) => Promise<void> = steps.step(linkSync, elsewhere.link);

/** As in `node:fs/promises`. */
export const rename: (from: PathLike, to: PathLike) => Promise<void> = steps.step(
  renameSync,
  elsewhere.rename,
);

/** As in `node:fs/promises`. */
export const unlink: (path: PathLike) => Promise<void> = steps.step(unlinkSync, elsewhere.unlink);

/** As in `node:fs/promises`. */
export const lstat: (path: PathLike) => Promise<Stats> = steps.step(
  (path: PathLike) => lstatSync(path),
  (path) => elsewhere.lstat(path),
);

/** As in `node:fs/promises`, one character for each byte; for small directories. */
export const readdir: (path: PathLike) => Promise<string[]> = steps.step(
  (path: PathLike) => readdirSync(path, "latin1"),
  (path) => elsewhere.readdir(path, "latin1"),
);

/** As `readSmallFile`, following no symlink. */
export const readSmall: (
  path: PathLike,
  options: { readonly maxBytes: number },
) => Promise<Buffer | NotSmallFile> = steps.step(readSmallFileSync, readSmallFile);

function openHere(path: PathLike, flags: string | number, mode?: number): OpenFile {
  const descriptor = openSync(path, flags, mode);
  return {
    async writeFile(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    },
    sync: () => syncFile(descriptor),
    async close() {
      closeSync(descriptor);
    },
  };
}
