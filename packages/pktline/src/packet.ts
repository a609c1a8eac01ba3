/*
 * A packet is four hex digits, its length with these four included, and the payload. Lengths 0, 1 and 2 are
 * the special packets, 3 does not exist, 4 is a legal empty payload.
 * Spec: gitprotocol-common, "pkt-line Format"; gitprotocol-v2, "Packet-Line Framing".
 */

/** A packet without payload. They mean different things and are never taken for each other. */
export type SpecialPacket =
  | { readonly type: "flush" }
  | { readonly type: "delim" }
  | { readonly type: "response-end" };

/** What stands between two packet boundaries. */
export type Packet = { readonly type: "data"; readonly payload: Uint8Array } | SpecialPacket;

/** Longest packet, its four digits included. Unit: bytes. */
export const MAX_PACKET_BYTES = 65520;

/** Longest payload. Unit: bytes. */
export const MAX_PAYLOAD_BYTES = 65516;

/** `0000`: the end of a message. */
export const flush: SpecialPacket = Object.freeze({ type: "flush" });

/** `0001`: the end of a section. */
export const delim: SpecialPacket = Object.freeze({ type: "delim" });

/** `0002`: the end of a response over stateless transport. Servers never send it. */
export const responseEnd: SpecialPacket = Object.freeze({ type: "response-end" });
