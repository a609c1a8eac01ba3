import { fstatSync, openSync } from "node:fs";
import type { CreateHasher } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import type { BitmapFile } from "@x/pack";
import { systemCode } from "../errors.ts";
import { closeQuietly } from "./close-quietly.ts";
import { fileSource } from "./file-source.ts";

/** The bitmap file beside the pack at a path, open from the time it is first asked for until it is {@link close}d. */
export class DiskBitmapFile implements BitmapFile {
  readonly createHasher: CreateHasher = createNodeHasher;
  readonly #path: string;
  readonly #warn: (message: string) => void;
  #descriptor = -1;

  /** @param path of the pack, without suffix */
  constructor(path: string, warn: (message: string) => void) {
    this.#path = `${path}.bitmap`;
    this.#warn = warn;
  }

  open(butNot: string | undefined): ReturnType<BitmapFile["open"]> {
    this.close();
    try {
      this.#descriptor = openSync(this.#path, "r");
    } catch (error) {
      if (systemCode(error) !== "ENOENT") this.warn(`it cannot be opened, ${systemCode(error)}`);
      return undefined;
    }
    const { ino, size, mtimeNs } = fstatSync(this.#descriptor, { bigint: true });
    const name = `${ino}:${size}:${mtimeNs}`;
    if (name !== butNot) return { source: fileSource(this.#descriptor), name };
    this.close();
    return undefined;
  }

  close(): void {
    if (this.#descriptor >= 0) closeQuietly(this.#descriptor);
    this.#descriptor = -1;
  }

  warn(message: string): void {
    this.#warn(`${this.#path}: ${message}`);
  }
}
