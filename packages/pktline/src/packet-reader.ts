import { PktLineDecoder } from "./decoder.ts";
import { PktLineError } from "./errors.ts";
import type { Packet } from "./packet.ts";

/** The payloads up to a special packet, or up to the end of the input. */
export interface Section {
  readonly payloads: Uint8Array[];
  readonly end: "flush" | "delim" | "response-end" | "eof";
}

/** Some payloads of a section; `end` says that it is over and how. */
export interface Batch {
  readonly payloads: Uint8Array[];
  readonly end: Section["end"] | undefined;
}

/**
 * Reads packets from a stream of chunks. The stream is read as far as asked for and never ended from here:
 * whoever made it lets go of it.
 */
export class PacketReader {
  readonly #input: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  readonly #decoder = new PktLineDecoder();
  #bytesRead = 0;

  /** @param options `signal` calls off a wait for bytes: the read rejects with its reason */
  constructor(input: AsyncIterable<Uint8Array>, options: { readonly signal?: AbortSignal | undefined } = {}) {
    this.#input = input[Symbol.asyncIterator]();
    this.#signal = options.signal;
  }

  /** How much has come in so far. Unit: bytes. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /**
   * @returns `undefined` at the end of the input between two packets
   * @throws PktLineError `pktline/bad-length`, `pktline/too-long`, `pktline/truncated`
   */
  async readPacket(): Promise<Packet | undefined> {
    for (;;) {
      const packet = this.#decoder.read();
      if (packet !== undefined) return packet;
      if (!(await this.#fill())) return undefined;
    }
  }

  /**
   * Reads payloads up to the next special packet. The limit is kept while reading.
   * @param limits `maxBytes` counts whole packets, `maxPackets` those with a payload
   * @throws PktLineError `pktline/bad-length`, `pktline/too-long`, `pktline/truncated`
   */
  async readSection(limits: { readonly maxBytes: number; readonly maxPackets?: number }): Promise<Section> {
    const payloads: Uint8Array[] = [];
    const maxPackets = limits.maxPackets ?? Number.POSITIVE_INFINITY;
    let bytes = 0;
    for (;;) {
      const packet = this.#decoder.read();
      if (packet === undefined) {
        if (await this.#fill()) continue;
        return { payloads, end: "eof" };
      }
      if (packet.type !== "data") return { payloads, end: packet.type };
      bytes += packet.payload.length + 4;
      if (bytes > limits.maxBytes) throw this.#tooLong(`a section of more than ${limits.maxBytes} bytes`);
      if (payloads.length >= maxPackets) throw this.#tooLong(`a section of more than ${maxPackets} packets`);
      payloads.push(packet.payload);
    }
  }

  /**
   * For sections too long to hold: what has arrived of one, at least one packet and at most `maxPackets`. Waits only
   * while nothing has arrived, so a peer that waits for an answer does not wait for ever.
   * @throws PktLineError `pktline/bad-length`, `pktline/too-long`, `pktline/truncated`
   */
  async readBatch(maxPackets: number): Promise<Batch> {
    const payloads: Uint8Array[] = [];
    while (payloads.length < maxPackets) {
      const packet = this.#decoder.read();
      if (packet === undefined) {
        if (payloads.length > 0) break;
        if (!(await this.#fill())) return { payloads, end: "eof" };
      } else if (packet.type === "data") payloads.push(packet.payload);
      else return { payloads, end: packet.type };
    }
    return { payloads, end: undefined };
  }

  /**
   * The raw bytes behind the last packet read, in chunks as they come. Leaving the iteration does not end the
   * input; a chunk that was given is not given again.
   */
  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    const first = this.#decoder.takeRest();
    if (first.length > 0) yield first;
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  #tooLong(what: string): PktLineError {
    return new PktLineError("pktline/too-long", what, { offset: this.#decoder.offset });
  }

  async #fill(): Promise<boolean> {
    const chunk = await this.#next();
    if (chunk !== undefined) {
      this.#decoder.feed(chunk);
      return true;
    }
    if (this.#decoder.pending)
      throw new PktLineError("pktline/truncated", "the input ended inside a packet", {
        offset: this.#decoder.offset,
      });
    return false;
  }

  /** The next chunk that has bytes. */
  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const result = await this.#wait();
      if (result.done) return undefined;
      this.#bytesRead += result.value.length;
      if (result.value.length > 0) return result.value;
    }
  }

  // Not Promise.race with one long-lived promise: each race would leave a reaction behind on it.
  #wait(): Promise<IteratorResult<Uint8Array>> {
    const signal = this.#signal;
    if (signal === undefined) return this.#input.next();
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#input
        .next()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener("abort", onAbort));
    });
  }
}
