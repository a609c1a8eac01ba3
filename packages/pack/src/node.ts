import * as crypto from "node:crypto";
import * as zlib from "node:zlib";
import { constants, createInflate, deflateRawSync, deflateSync } from "node:zlib";
import type { Crc32 } from "@x/objects";
import { PackError } from "./errors.ts";
import { createZlibCodec, type Inflater, wrongSize, type ZlibCodec } from "./format/zlib-codec.ts";
import type { HashInto } from "./take/object-hasher.ts";

/** `node:zlib`'s CRC-32; `undefined` where there is none (before Node 20.15): the neutral one does then. */
export const nodeCrc32: Crc32 | undefined = (zlib as { crc32?: Crc32 }).crc32;

/**
 * Hashes with `crypto.hash`, a third of what a `createHash` for each object costs; `undefined` where there is none. The
 * digest is fetched as a string because a Buffer for 20 bytes costs more than all of the rest.
 */
export const nodeHashInto: HashInto | undefined =
  typeof crypto.hash === "function"
    ? (format, bytes, into, at) => {
        const digest = crypto.hash(format, bytes, "binary");
        for (let i = 0; i < digest.length; i++) into[at + i] = digest.charCodeAt(i);
      }
    : undefined;

/** What Node's own zlib streams run on: one native call, no stream object per use. */
interface NativeInflate {
  reset(): void;
  writeSync(
    flush: number,
    input: Uint8Array,
    at: number,
    size: number,
    output: Uint8Array,
    outAt: number,
    room: number,
  ): void;
  onerror: (message: string, errno: number, code: string) => void;
}

/**
 * {@link ZlibCodec} on `node:zlib`. `inflateSync` costs 10 µs for a small object, most of it for making a stream; reusing
 * one native handle costs 2 µs (measured on 53,000 objects). The handle is not public API, so it is tried once at the
 * start: where it does not behave, the neutral codec inflates.
 */
export function createNodeZlibCodec(): ZlibCodec {
  const deflate = (data: Uint8Array, level?: number): Uint8Array =>
    deflateSync(data, level === undefined ? {} : { level });
  const deflateBlocks = (data: Uint8Array, level: number): Uint8Array =>
    deflateRawSync(data, { level, finishFlush: constants.Z_SYNC_FLUSH });
  const inflate = createOneShot();
  const native = { inflate, deflate, deflateBlocks, createInflater: inflaterPool() } as const;
  return native.inflate !== undefined && works(native as ZlibCodec)
    ? (native as ZlibCodec)
    : { ...createZlibCodec(), deflate, deflateBlocks };
}

interface Handle {
  readonly native: NativeInflate;
  /** Room left in the output and input left over, after a call. */
  readonly state: Uint32Array;
  /** What the last call complained about. */
  failure: { readonly message: string; readonly errno: number } | undefined;
}

function openHandle(): Handle | undefined {
  const stream = createInflate() as unknown as { _handle?: NativeInflate; _writeState?: Uint32Array };
  if (typeof stream._handle?.writeSync !== "function" || !(stream._writeState instanceof Uint32Array))
    return undefined;
  const handle: Handle = { native: stream._handle, state: stream._writeState, failure: undefined };
  handle.native.onerror = (message, errno) => {
    handle.failure = { message, errno };
  };
  return handle;
}

function createOneShot(): ZlibCodec["inflate"] | undefined {
  const handle = openHandle();
  if (handle === undefined) return undefined;
  const { native, state } = handle;
  return (input, at, end, output) => {
    native.reset();
    handle.failure = undefined;
    // Z_FINISH makes zlib itself say when the stream is not whole.
    native.writeSync(constants.Z_FINISH, input, at, end - at, output, 0, output.length);
    const failure = handle.failure as Handle["failure"];
    if (failure !== undefined) {
      if (failure.errno === constants.Z_BUF_ERROR)
        throw new PackError("pack/truncated", "a zlib stream stops short");
      throw new PackError("pack/bad-zlib", `inflate: ${failure.message}`);
    }
    if (state[0] !== 1) throw wrongSize();
    return end - at - (state[1] as number);
  };
}

/** Inflaters that are kept for whoever needs one next. */
const MAX_IDLE_INFLATERS = 2;

/** Gives those again that were released: to make one takes longer than most are used. */
function inflaterPool(): () => Inflater {
  const idle: Inflater[] = [];
  const release = (inflater: Inflater): void => {
    if (idle.length < MAX_IDLE_INFLATERS) idle.push(inflater);
  };
  return () => idle.pop() ?? createNativeInflater(release);
}

function createNativeInflater(release: (inflater: Inflater) => void): Inflater {
  const handle = openHandle();
  if (handle === undefined) throw new PackError("pack/bad-zlib", "no native inflate");
  const { native, state } = handle;
  let consumed = 0;
  let produced = 0;
  const inflater: Inflater = {
    reset: () => native.reset(),
    write(input, at, end, output, outAt) {
      handle.failure = undefined;
      const room = output.length - outAt;
      native.writeSync(constants.Z_SYNC_FLUSH, input, at, end - at, output, outAt, room);
      const failure = handle.failure as Handle["failure"];
      if (failure !== undefined) throw new PackError("pack/bad-zlib", `inflate: ${failure.message}`);
      produced = room - (state[0] as number);
      consumed = end - at - (state[1] as number);
      // With room and input left, zlib stopped for one reason only.
      return state[0] !== 0 && state[1] !== 0;
    },
    get consumed() {
      return consumed;
    },
    get produced() {
      return produced;
    },
    release() {
      native.reset();
      release(inflater);
    },
  };
  return inflater;
}

/** Whether the native handle does what this file believes of it, errors included. */
function works(codec: ZlibCodec): boolean {
  try {
    const data = new TextEncoder().encode("a server needs no git binary ".repeat(20));
    const stream = deflateSync(data);
    const padded = new Uint8Array(stream.length + 7);
    padded.set(stream, 3);
    const output = new Uint8Array(data.length + 1);
    if (codec.inflate(padded, 3, padded.length, output) !== stream.length) return false;
    if (!data.every((byte, i) => output[i] === byte)) return false;
    if (!throws(() => codec.inflate(padded, 3, stream.length, output), "pack/truncated")) return false;
    if (!throws(() => codec.inflate(padded, 3, padded.length, output.subarray(1)), "pack/bad-zlib"))
      return false;
    if (!throws(() => codec.inflate(padded, 0, padded.length, output), "pack/bad-zlib")) return false;
    const inflater = codec.createInflater();
    let ended = inflater.write(padded, 3, 10, output, 0);
    const first = inflater.produced;
    ended = inflater.write(padded, 10, padded.length, output, first);
    return ended && first + inflater.produced === data.length && inflater.consumed === stream.length - 7;
  } catch {
    return false;
  }
}

function throws(run: () => unknown, code: string): boolean {
  try {
    run();
    return false;
  } catch (error) {
    return error instanceof PackError && error.code === code;
  }
}
