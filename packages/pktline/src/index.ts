/** @packageDocumentation Git's pkt-line framing: packets, sections, side-band and capability lists. */
export {
  type Capabilities,
  formatCapabilities,
  formatSymref,
  parseCapabilities,
  parseCapability,
  parseSymref,
  sanitizeAgent,
  splitFirstLine,
  splitWantLine,
} from "./capabilities.ts";
export { PktLineDecoder } from "./decoder.ts";
export { encodeInChunks, encodePackets, PacketBatch, type Writable } from "./encoder.ts";
export { PktLineError, type PktLineErrorCode } from "./errors.ts";
export { decodeLatin1, encodeLatin1, lineText } from "./latin1.ts";
export {
  delim,
  flush,
  MAX_PACKET_BYTES,
  MAX_PAYLOAD_BYTES,
  type Packet,
  responseEnd,
  type SpecialPacket,
} from "./packet.ts";
export { type Batch, PacketReader, type Section } from "./packet-reader.ts";
export {
  type Band,
  decodeSideband,
  encodeSideband,
  frameSideband,
  SIDEBAND_DATA,
  SIDEBAND_ERROR,
  SIDEBAND_HEADER_BYTES,
  SIDEBAND_PROGRESS,
  type SidebandPacketBytes,
} from "./sideband.ts";
