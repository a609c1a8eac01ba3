import { closeSync, fsync, openSync, writeSync } from "node:fs";
import { promisify } from "node:util";
import type { ByteSource, PackSink } from "@x/pack";
import { readFully } from "./file-source.ts";

/** Waits until a file has reached the disk, others being written meanwhile. */
export const syncFile: (descriptor: number) => Promise<void> = promisify(fsync);

/** A pack as it grows on disk, written and read back. */
export class PackFileSink implements PackSink, ByteSource {
  readonly #descriptor: number;
  #open = true;
  size = 0;

  /** Makes the file, which must not exist. */
  constructor(path: string) {
    this.#descriptor = openSync(path, "wx+", 0o444);
  }

  append(bytes: Uint8Array): void {
    writeFully(this.#descriptor, bytes, this.size);
    this.size += bytes.length;
  }

  patch(offset: number, bytes: Uint8Array): void {
    writeFully(this.#descriptor, bytes, offset);
  }

  read(offset: number, into: Uint8Array): number {
    return readFully(this.#descriptor, offset, into);
  }

  /** Waits until it has reached the disk. */
  sync(): Promise<void> {
    return syncFile(this.#descriptor);
  }

  close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }
}

/** Writes a file that must not exist, and gives its open descriptor. */
export function writeNewFile(path: string, bytes: Uint8Array): number {
  const descriptor = openSync(path, "wx", 0o444);
  try {
    writeFully(descriptor, bytes, 0);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Writes all of `bytes`: one call may take less. */
export function writeFully(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; )
    at += writeSync(descriptor, bytes, at, bytes.length - at, position + at);
}
