import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Repository } from "@x/server-core";
import { PushCertificatesError } from "./errors.ts";

/** The path of a file, or what would stand in one: then it may differ from repository to repository. */
export type TrustSource = string | ((repository: Repository) => Promise<string | Uint8Array>);

/** Reads a source, and a file only once as long as it stays the same. */
export class TrustReader<T> {
  readonly #source: TrustSource;
  readonly #parse: (bytes: Uint8Array, name: string) => T | Promise<T>;
  readonly #maxBytes: number;
  #known: { readonly stamp: string; readonly value: T } | undefined;

  constructor(
    source: TrustSource,
    parse: (bytes: Uint8Array, name: string) => T | Promise<T>,
    options: { readonly maxBytes: number },
  ) {
    this.#source = source;
    this.#parse = parse;
    this.#maxBytes = options.maxBytes;
  }

  /** @throws PushCertificatesError `push-certificates/bad-trust` */
  async read(repository: Repository): Promise<T> {
    if (typeof this.#source === "string") return this.#readFile(this.#source);
    const given = await this.#source(repository);
    const bytes = typeof given === "string" ? Buffer.from(given, "utf8") : given;
    if (bytes.length > this.#maxBytes) throw this.#tooLong("what says whom to trust");
    return this.#parse(bytes, "line");
  }

  /** Reads the file, if it is one. @throws PushCertificatesError `push-certificates/bad-trust` */
  async check(): Promise<void> {
    if (typeof this.#source === "string") await this.#readFile(this.#source);
  }

  async #readFile(path: string): Promise<T> {
    let file: FileHandle | undefined;
    try {
      // A pipe would make us wait for somebody to write into it.
      file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const found = await file.stat({ bigint: true });
      if (!found.isFile()) throw new Error("it is not a file");
      if (found.size > BigInt(this.#maxBytes)) throw this.#tooLong(path);
      const stamp = [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(" ");
      if (this.#known?.stamp === stamp) return this.#known.value;
      const bytes = await readAtMost(file, Number(found.size));
      const value = await this.#parse(bytes, path);
      this.#known = { stamp, value };
      return value;
    } catch (cause) {
      if (cause instanceof PushCertificatesError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new PushCertificatesError("push-certificates/bad-trust", `${path} cannot be read: ${reason}`, {
        cause,
      });
    } finally {
      await file?.close();
    }
  }

  #tooLong(name: string): PushCertificatesError {
    return new PushCertificatesError(
      "push-certificates/bad-trust",
      `${name} is longer than ${this.#maxBytes} bytes`,
    );
  }
}

/** One that grows meanwhile is cut off where it ended; its stamp will have changed by the next time. */
async function readAtMost(file: FileHandle, size: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(buffer, filled, size - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
