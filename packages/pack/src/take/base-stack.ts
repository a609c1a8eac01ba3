import { type ByteSource, memorySource } from "../format/byte-source.ts";
import type { Spill, SpillRoom } from "../read/spill-room.ts";
import { NO_BASE } from "./entry-table.ts";

/** How much of what may be held is one array for small objects, in which `copyWithin` does a delta's work. */
const ARENA_SHARE = 1 / 4;

/** An object's data: in an array of its own, in the arena, or set aside. */
export interface Held {
  /** Of no meaning when it is set aside. */
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly size: number;
  readonly spill: Spill | undefined;
}

/** A base whose deltas are being resolved. */
export interface Frame {
  readonly row: number;
  readonly depth: number;
  readonly size: number;
  /** What holds the data, if anything does (any more). */
  bytes: Uint8Array | undefined;
  at: number;
  spill: Spill | undefined;
  /** The delta whose turn is next. */
  next: number;
}

export const NO_BYTES: Uint8Array = new Uint8Array(0);

export function isThere(frame: Frame): boolean {
  return frame.bytes !== undefined || frame.spill !== undefined;
}

/** The data of a frame that has it: bytes, or what is set aside. */
export function heldBy(frame: Frame): Held {
  return frame as Frame & Held;
}

/** Data that is set aside as {@link Held}. */
export function spilled(spill: Spill): Held {
  return { bytes: NO_BYTES, at: 0, size: spill.size, spill };
}

export function sourceOf({ bytes, at, size, spill }: Held): ByteSource {
  return spill ?? memorySource(bytes.subarray(at, at + size));
}

/**
 * The bases between an object that came whole and the delta whose turn it is. Those that wait are let go of, the oldest
 * first, when they take up too much of memory or of the room for what is set aside: they can be made again.
 */
export class BaseStack {
  /** Holds small objects, those of the stack from the start on. */
  readonly arena: Uint8Array;
  /** Where the arena is free. */
  top = 0;
  readonly #frames: Frame[] = [];
  readonly #maxApartBytes: number;
  /** Held outside the arena. Unit: bytes. */
  #apartBytes = 0;
  /** The one that is being read: it stays. */
  inUse: Spill | undefined;

  /**
   * @param maxBytes what may be held beside the base in use. Unit: bytes.
   * @param everything what all objects take up, so that no more is reserved. Unit: bytes.
   */
  constructor(maxBytes: number, everything: number, room: SpillRoom | undefined) {
    this.arena = new Uint8Array(Math.min(maxBytes * ARENA_SHARE, everything));
    this.#maxApartBytes = maxBytes - this.arena.length;
    if (room !== undefined) room.reclaim = () => this.#reclaim();
  }

  get last(): Frame | undefined {
    return this.#frames.at(-1);
  }

  /**
   * How the data of the last frame comes about: which deltas are to be applied, the last one first, and to what: to data
   * that is there, or to the whole object in row `root`.
   * @param bases the base of each row, {@link NO_BASE} for whole objects
   */
  path(bases: Int32Array): {
    readonly from: Held | undefined;
    readonly root: number;
    readonly deltas: number[];
  } {
    const deltas: number[] = [];
    const frame = this.last as Frame;
    let level = this.#frames.length - 1;
    for (let row = frame.row; ; row = bases[row] as number) {
      while (level >= 0 && (this.#frames[level] as Frame).depth > frame.depth - deltas.length) level--;
      const ancestor = this.#frames[level];
      if (ancestor?.row === row && isThere(ancestor)) return { from: heldBy(ancestor), root: row, deltas };
      if (bases[row] === NO_BASE) return { from: undefined, root: row, deltas };
      deltas.push(row);
    }
  }

  push(frame: Frame): void {
    this.#frames.push(frame);
    if (frame.bytes === this.arena) {
      this.top = frame.at + frame.size;
      return;
    }
    if (frame.bytes === undefined) return;
    this.#apartBytes += frame.size;
    for (const older of this.#frames) {
      if (this.#apartBytes <= this.#maxApartBytes || older === frame) return;
      if (older.bytes !== undefined) this.#drop(older);
    }
  }

  pop(): void {
    const frame = this.#frames.pop() as Frame;
    if (frame.bytes === this.arena) this.top = frame.at;
    else this.#drop(frame);
  }

  /** Gives a frame that was let go of its data again. */
  restore(frame: Frame, { bytes, at, spill }: Held): void {
    frame.at = at;
    frame.spill = spill;
    frame.bytes = spill === undefined ? bytes : undefined;
    if (spill === undefined) this.#apartBytes += frame.size;
  }

  #drop(frame: Frame): void {
    frame.spill?.discard();
    frame.spill = undefined;
    if (frame.bytes === undefined || frame.bytes === this.arena) return;
    frame.bytes = undefined;
    this.#apartBytes -= frame.size;
  }

  #reclaim(): boolean {
    const waiting = this.#frames.find(({ spill }) => spill !== undefined && spill !== this.inUse);
    if (waiting === undefined) return false;
    this.#drop(waiting);
    return true;
  }
}
