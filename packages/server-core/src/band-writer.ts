import { encodeSideband, SIDEBAND_DATA, SIDEBAND_PROGRESS, type SidebandPacketBytes } from "@x/pktline";

const utf8 = new TextEncoder();

/** What a client asked for: band packets of a size, or nothing of the kind. */
export type Sideband = SidebandPacketBytes | undefined;

/** The packet size among capabilities; the larger one when a client asked for both. */
export function sidebandOf(capabilities: { has(name: string): boolean }): Sideband {
  if (capabilities.has("side-band-64k")) return 65520;
  return capabilities.has("side-band") ? 1000 : undefined;
}

/** Whole packets of band 1, none of the pieces above 64 KiB; the bytes as they are without side-band. */
export function* frameData(bytes: Uint8Array, sideband: Sideband): Generator<Uint8Array, void, undefined> {
  if (sideband === undefined) yield bytes;
  else
    for (let at = 0; at < bytes.length; at += MAX_FRAMED)
      yield encodeSideband(SIDEBAND_DATA, bytes.subarray(at, at + MAX_FRAMED), sideband);
}

// With its framing, even in packets of 1000 bytes, a piece stays within 64 KiB; a chunk of 64 KiB becomes two equal ones.
const MAX_FRAMED = 32_768;

/** A text for the user. */
export function frameText(text: string, sideband: SidebandPacketBytes): Uint8Array {
  return encodeSideband(SIDEBAND_PROGRESS, utf8.encode(text), sideband);
}

/** A packet that carries nothing and keeps a line alive. */
export function frameNothing(sideband: SidebandPacketBytes): Uint8Array {
  return encodeSideband(SIDEBAND_DATA, new Uint8Array(0), sideband);
}
