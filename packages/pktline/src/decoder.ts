import { PktLineError } from "./errors.ts";
import { delim, flush, MAX_PACKET_BYTES, type Packet, responseEnd, type SpecialPacket } from "./packet.ts";

// Table-driven: parsers of numbers take signs, spaces and 0x as well.
const HEX_VALUE: Int8Array = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  HEX_VALUE[digit.toString(16).charCodeAt(0)] = digit;
  HEX_VALUE[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

const SPECIAL: readonly SpecialPacket[] = [flush, delim, responseEnd];
const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * Finds packets in bytes that arrive cut anywhere. Synchronous; touches nothing past the packet it gives.
 * Payloads are views into what was fed, or into a buffer that is never written again: they stay valid.
 */
export class PktLineDecoder {
  #buffer: Uint8Array = EMPTY;
  #owned = false;
  #at = 0;
  #end = 0;
  /** Bytes fed before the start of the buffer. */
  #base = 0;

  /** Adds bytes. The chunk must not be changed afterwards. */
  feed(chunk: Uint8Array): void {
    const left = this.#end - this.#at;
    if (left === 0) {
      this.#replace(chunk, chunk.length, false);
      return;
    }
    const needed = left + chunk.length;
    if (!this.#owned || this.#end + chunk.length > this.#buffer.length) {
      // Doubled, so that a peer who sends byte by byte does not cost a copy each.
      const grown = new Uint8Array(needed < 2 * MAX_PACKET_BYTES ? 2 * needed : needed);
      grown.set(this.#buffer.subarray(this.#at, this.#end));
      this.#replace(grown, left, true);
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  #replace(buffer: Uint8Array, end: number, owned: boolean): void {
    this.#base += this.#at;
    this.#buffer = buffer;
    this.#owned = owned;
    this.#at = 0;
    this.#end = end;
  }

  /**
   * The next packet, or `undefined` when more bytes are needed.
   * @throws PktLineError `pktline/bad-length`, `pktline/too-long`
   */
  read(): Packet | undefined {
    const available = this.#end - this.#at;
    if (available < 4) return undefined;
    const length = this.#parseLength();
    const size = Math.max(length, 4);
    if (available < size) return undefined;
    const start = this.#at;
    this.#at += size;
    return SPECIAL[length] ?? { type: "data", payload: this.#buffer.subarray(start + 4, start + size) };
  }

  #parseLength(): number {
    let length = 0;
    for (let i = this.#at; i < this.#at + 4; i++) {
      const digit = HEX_VALUE[this.#buffer[i] as number] as number;
      if (digit < 0)
        throw new PktLineError("pktline/bad-length", "bad line length character", { offset: this.offset });
      length = length * 16 + digit;
    }
    if (length === 3)
      throw new PktLineError("pktline/bad-length", "bad line length 3", { offset: this.offset });
    if (length > MAX_PACKET_BYTES)
      throw new PktLineError("pktline/too-long", `bad line length ${length}`, { offset: this.offset });
    return length;
  }

  /** How many bytes were read as packets or taken. Unit: bytes. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** Whether bytes of an unfinished, or of an unread, packet are waiting. */
  get pending(): boolean {
    return this.#at < this.#end;
  }

  /** What was fed and not read, as it lies; the decoder is empty afterwards. */
  takeRest(): Uint8Array {
    const rest = this.#buffer.subarray(this.#at, this.#end);
    this.#base += this.#end;
    this.#at = 0;
    this.#end = 0;
    this.#buffer = EMPTY;
    this.#owned = false;
    return rest;
  }
}
