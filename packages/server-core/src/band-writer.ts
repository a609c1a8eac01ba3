import {
  encodeSideband,
  frameSideband,
  SIDEBAND_DATA,
  SIDEBAND_HEADER_BYTES,
  SIDEBAND_PROGRESS,
  type SidebandPacketBytes,
  type Writable,
} from "@x/pktline";

const utf8 = new TextEncoder();

/** What a client asked for: band packets of a size, or nothing of the kind. */
export type Sideband = SidebandPacketBytes | undefined;

/** The packet size among capabilities; the larger one when a client asked for both. */
export function sidebandOf(capabilities: { has(name: string): boolean }): Sideband {
  if (capabilities.has("side-band-64k")) return 65520;
  return capabilities.has("side-band") ? 1000 : undefined;
}

/** A piece of a pack, framed where it lies if there is room. @see frameData */
export function* framePack(
  bytes: Uint8Array,
  headroom: number,
  sideband: Sideband,
): Generator<Uint8Array, void, undefined> {
  if (sideband === 65520 && headroom >= SIDEBAND_HEADER_BYTES && bytes.length <= PIECE_BYTES[sideband])
    yield frameSideband(SIDEBAND_DATA, bytes, sideband);
  else yield* frameData(bytes, sideband);
}

/** Whole packets of band 1, none of the pieces above 64 KiB; the bytes as they are without side-band. */
export function* frameData(bytes: Uint8Array, sideband: Sideband): Generator<Uint8Array, void, undefined> {
  if (sideband === undefined) yield bytes;
  else {
    const size = PIECE_BYTES[sideband];
    for (let at = 0; at < bytes.length; at += size)
      yield encodeSideband(SIDEBAND_DATA, bytes.subarray(at, at + size), sideband);
  }
}

// Full packets, as many as stay within 64 KiB with their framing: one large one, or 65 small ones.
const PIECE_BYTES: Readonly<Record<SidebandPacketBytes, number>> = { 65520: 65515, 1000: 65 * 995 };

/** A text for the user. */
export function frameText(text: string, sideband: SidebandPacketBytes): Uint8Array {
  return encodeSideband(SIDEBAND_PROGRESS, utf8.encode(text), sideband);
}

/** A text for the user, as many packets as it needs. */
export function* frameMessage(
  bytes: Uint8Array,
  sideband: SidebandPacketBytes,
): Generator<Uint8Array, void, undefined> {
  const size = sideband - SIDEBAND_HEADER_BYTES;
  for (let at = 0; at < bytes.length; at += size)
    yield encodeSideband(SIDEBAND_PROGRESS, bytes.subarray(at, at + size), sideband);
}

/** A packet that carries nothing and keeps a line alive. */
export function frameNothing(sideband: SidebandPacketBytes, band: 1 | 2 = SIDEBAND_DATA): Uint8Array {
  return encodeSideband(band, new Uint8Array(0), sideband);
}

/** The same packets with those that have a payload on band 1. Spec: gitprotocol-v2, `sideband-all`. */
export function* onBandOne(packets: Iterable<Writable>): Generator<Writable, void, undefined> {
  for (const packet of packets) {
    if (typeof packet === "string") yield `\x01${packet}`;
    else if (packet instanceof Uint8Array) yield new Uint8Array([SIDEBAND_DATA, ...packet]);
    else yield packet;
  }
}
