import { PktLineError } from "./errors.ts";
import { MAX_PAYLOAD_BYTES, type SpecialPacket } from "./packet.ts";

/** What can be written as a packet; a text's characters are its bytes (latin1), and no line feed is added. */
export type Writable = string | Uint8Array | SpecialPacket;

const DIGITS: Uint8Array = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
const LENGTH_OF_SPECIAL = { flush: 0, delim: 1, "response-end": 2 } as const;

function isSpecial(packet: Writable): packet is SpecialPacket {
  return typeof packet === "object" && "type" in packet;
}

function sizeOf(packet: Writable): number {
  if (isSpecial(packet)) return 4;
  if (packet.length > MAX_PAYLOAD_BYTES)
    throw new PktLineError("pktline/too-long", `a payload of ${packet.length} bytes fits no packet`);
  return packet.length + 4;
}

/** Writes a packet's four digits at `at`. `length` includes them. */
export function writeLength(target: Uint8Array, at: number, length: number): void {
  target[at] = DIGITS[length >> 12] as number;
  target[at + 1] = DIGITS[(length >> 8) & 15] as number;
  target[at + 2] = DIGITS[(length >> 4) & 15] as number;
  target[at + 3] = DIGITS[length & 15] as number;
}

function write(target: Uint8Array, at: number, packet: Writable, size: number): void {
  if (isSpecial(packet)) {
    writeLength(target, at, LENGTH_OF_SPECIAL[packet.type]);
    return;
  }
  writeLength(target, at, size);
  if (typeof packet === "string")
    for (let i = 0, to = at + 4; i < packet.length; i++, to++) target[to] = packet.charCodeAt(i);
  else target.set(packet, at + 4);
}

/** All packets in one piece of memory. @throws PktLineError `pktline/too-long` */
export function encodePackets(packets: Iterable<Writable>): Uint8Array {
  const list = [...packets];
  const bytes = new Uint8Array(list.reduce((sum, packet) => sum + sizeOf(packet), 0));
  let at = 0;
  for (const packet of list) {
    const size = sizeOf(packet);
    write(bytes, at, packet, size);
    at += size;
  }
  return bytes;
}

/** Gathers packets into chunks, so that a hundred thousand lines become a hundred writes. */
export class PacketBatch {
  readonly #chunkBytes: number;
  #chunk: Uint8Array | undefined;
  #at = 0;

  /** @param chunkBytes length of a full chunk; at least 65520. Unit: bytes. */
  constructor(chunkBytes = 65536) {
    this.#chunkBytes = chunkBytes;
  }

  /**
   * Adds a packet.
   * @returns a chunk that is full and has to be sent now, without this packet
   * @throws PktLineError `pktline/too-long`
   */
  add(packet: Writable): Uint8Array | undefined {
    const size = sizeOf(packet);
    const full = this.#at + size > this.#chunkBytes ? this.take() : undefined;
    this.#chunk ??= new Uint8Array(this.#chunkBytes);
    write(this.#chunk, this.#at, packet, size);
    this.#at += size;
    return full;
  }

  /** What has gathered, or `undefined`. It belongs to the caller. */
  take(): Uint8Array | undefined {
    const chunk = this.#chunk?.subarray(0, this.#at);
    this.#chunk = undefined;
    this.#at = 0;
    return chunk;
  }
}

/** The packets in chunks of at most `chunkBytes`, at least 65520, which belong to the caller. @throws PktLineError `pktline/too-long` */
export function* encodeInChunks(
  packets: Iterable<Writable>,
  chunkBytes?: number,
): Generator<Uint8Array, void, undefined> {
  const batch = new PacketBatch(chunkBytes);
  for (const packet of packets) {
    const full = batch.add(packet);
    if (full !== undefined) yield full;
  }
  const last = batch.take();
  if (last !== undefined) yield last;
}
