import { writeLength } from "./encoder.ts";
import { PktLineError } from "./errors.ts";

/*
 * Side-band packet: <4 digits> <band, one byte> <bytes>. At most 1000 bytes in all with `side-band`, 65520 with
 * `side-band-64k`. Spec: gitprotocol-pack, "Packfile Data".
 */

/** The stream itself: a pack, or a report. */
export const SIDEBAND_DATA = 1;
/** Text for the user. */
export const SIDEBAND_PROGRESS = 2;
/** Text for the user, after which the sender gives up. */
export const SIDEBAND_ERROR = 3;

/** One of the three streams that share a connection. */
export type Band = 1 | 2 | 3;

/** Longest packet with `side-band` (1000) and with `side-band-64k` (65520). Unit: bytes. */
export type SidebandPacketBytes = 1000 | 65520;

/** What stands before the bytes in a packet: length and band. Unit: bytes. */
export const SIDEBAND_HEADER_BYTES = 5;

/** As many packets as `bytes` need, in one piece of memory; one empty packet, which keeps a line alive, for none. */
export function encodeSideband(
  band: Band,
  bytes: Uint8Array,
  maxPacketBytes: SidebandPacketBytes,
): Uint8Array {
  const room = maxPacketBytes - SIDEBAND_HEADER_BYTES;
  const packets = Math.max(1, Math.ceil(bytes.length / room));
  const framed = new Uint8Array(bytes.length + packets * SIDEBAND_HEADER_BYTES);
  for (let packet = 0, from = 0, at = 0; packet < packets; packet++, from += room) {
    const part = bytes.subarray(from, from + room);
    writeLength(framed, at, part.length + SIDEBAND_HEADER_BYTES);
    framed[at + 4] = band;
    framed.set(part, at + SIDEBAND_HEADER_BYTES);
    at += part.length + SIDEBAND_HEADER_BYTES;
  }
  return framed;
}

/**
 * One packet made around `bytes` where they lie, without copying them: the {@link SIDEBAND_HEADER_BYTES} bytes in front of
 * them in their buffer are written over. They fit into one packet.
 * @throws RangeError when there is no room in front, or they are too many
 */
export function frameSideband(
  band: Band,
  bytes: Uint8Array,
  maxPacketBytes: SidebandPacketBytes,
): Uint8Array {
  const length = bytes.length + SIDEBAND_HEADER_BYTES;
  if (bytes.byteOffset < SIDEBAND_HEADER_BYTES || length > maxPacketBytes)
    throw new RangeError("bytes cannot be framed in their place");
  const framed = new Uint8Array(bytes.buffer, bytes.byteOffset - SIDEBAND_HEADER_BYTES, length);
  writeLength(framed, 0, length);
  framed[4] = band;
  return framed;
}

/** The band and the bytes of a packet's payload. @throws PktLineError `pktline/bad-band` */
export function decodeSideband(payload: Uint8Array): { readonly band: Band; readonly bytes: Uint8Array } {
  const band = payload[0];
  if (band !== SIDEBAND_DATA && band !== SIDEBAND_PROGRESS && band !== SIDEBAND_ERROR)
    throw new PktLineError("pktline/bad-band", band === undefined ? "no band" : `bad band #${band}`);
  return { band, bytes: payload.subarray(1) };
}
