import { decodeLatin1, encodeLatin1, type Packet, PktLineDecoder } from "../src/index.ts";

export const wire: (text: string) => Uint8Array = encodeLatin1;
export const text: (bytes: Uint8Array) => string = decodeLatin1;

export function show(packet: Packet): string {
  return packet.type === "data" ? `data ${text(packet.payload)}` : packet.type;
}

/** Everything that can be read from `chunks`; stops after `most` packets and gives the rest as it lies. */
export function decodeAll(
  chunks: readonly Uint8Array[],
  most: number = Number.POSITIVE_INFINITY,
): [string[], string] {
  const decoder = new PktLineDecoder();
  const packets: Packet[] = [];
  for (const chunk of chunks) {
    decoder.feed(chunk);
    while (packets.length < most) {
      const packet = decoder.read();
      if (packet === undefined) break;
      packets.push(packet);
    }
  }
  // Shown last: a payload has to outlive everything fed after it.
  return [packets.map(show), text(decoder.takeRest())];
}

export async function* stream(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === "string" ? wire(chunk) : chunk;
}
