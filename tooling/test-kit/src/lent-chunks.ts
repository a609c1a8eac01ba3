/** Unit: bytes. */
const CHUNK = 65536;

/** A call as a service gets it, as far as chunks are lent. */
interface Lending {
  readonly lend?: ((bytes: Uint8Array, onBack: () => void) => void) | undefined;
}

/** Chunks that are filled with their number, in as few buffers as come back. */
export interface LentChunks {
  /** A service that sends them. */
  readonly service: (call: Lending) => AsyncGenerator<Uint8Array, void, undefined>;
  /** How many buffers that took. */
  readonly buffers: () => number;
  /** The numbers of the chunks that did not come as they were sent; all of them where the length is another. */
  readonly spoiled: (received: Uint8Array) => readonly number[];
}

/** For a transport that gives chunks' memory back: one that does so too early spoils what still waits. */
export function lendChunks(count: number): LentChunks {
  const spares: ArrayBuffer[] = [];
  let made = 0;
  const numbers = Array.from({ length: count }, (_, number) => number);
  return {
    async *service(call) {
      for (const number of numbers) {
        const spare = spares.pop();
        if (spare === undefined) made++;
        const buffer = spare ?? new ArrayBuffer(CHUNK);
        const chunk = new Uint8Array(buffer).fill(number);
        call.lend?.(chunk, () => void spares.push(buffer));
        yield chunk;
        // What has left meanwhile comes back.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    buffers: () => made,
    spoiled: (received) =>
      received.length === count * CHUNK
        ? numbers.filter((number) =>
            received.subarray(number * CHUNK, (number + 1) * CHUNK).some((byte) => byte !== number % 256),
          )
        : numbers,
  };
}
