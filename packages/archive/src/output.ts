import type { ArchiveEvent } from "@x/objects";
import { ArchiveError } from "./errors.ts";

/** What leaves at a time. With its side-band header it fits into the largest packet. Unit: bytes. */
const CHUNK_BYTES = 65_515;

/** Room for a side-band header in front of each chunk. Unit: bytes. */
const HEADROOM = 5;

/** Gathers what is written into chunks that leave one by one. */
export class Output {
  readonly #maxBytes: number;
  #buffer: Uint8Array = new Uint8Array(HEADROOM + CHUNK_BYTES);
  #filled = 0;
  #ready: ArchiveEvent[] = [];
  #written = 0;

  /** @param maxBytes of archive */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Unit: bytes. */
  get written(): number {
    return this.#written;
  }

  /** Copies `bytes`. @throws ArchiveError `archive/limit-exceeded` */
  write(bytes: Uint8Array): void {
    this.#count(bytes.length);
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(CHUNK_BYTES - this.#filled, bytes.length - at);
      const whole = at === 0 && size === bytes.length;
      this.#buffer.set(whole ? bytes : bytes.subarray(at, at + size), HEADROOM + this.#filled);
      this.#fill(size);
      at += size;
    }
  }

  /** Writes `count` zero bytes. */
  writeZeros(count: number): void {
    this.#count(count);
    for (let left = count; left > 0; ) {
      const size = Math.min(CHUNK_BYTES - this.#filled, left);
      this.#fill(size); // a new buffer holds nothing but zeros
      left -= size;
    }
  }

  #count(bytes: number): void {
    this.#written += bytes;
    if (this.#written > this.#maxBytes)
      throw new ArchiveError(
        "archive/limit-exceeded",
        `the archive exceeds maxArchiveBytes (${this.#maxBytes})`,
      );
  }

  #fill(size: number): void {
    this.#filled += size;
    if (this.#filled < CHUNK_BYTES) return;
    this.#flush();
    this.#buffer = new Uint8Array(HEADROOM + CHUNK_BYTES);
  }

  #flush(): void {
    const bytes = this.#buffer.subarray(HEADROOM, HEADROOM + this.#filled);
    if (bytes.length > 0) this.#ready.push({ kind: "bytes", bytes, headroom: HEADROOM });
    this.#filled = 0;
  }

  /** Something for the user. */
  say(text: string): void {
    this.#ready.push({ kind: "message", text });
  }

  /** What is ready to leave. */
  take(): readonly ArchiveEvent[] {
    if (this.#ready.length === 0) return NOTHING;
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** What is left, nothing being written any more. */
  end(): readonly ArchiveEvent[] {
    this.#flush();
    return this.take();
  }
}

const NOTHING: readonly ArchiveEvent[] = [];
