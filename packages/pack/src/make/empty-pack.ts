import type { CreateHasher, ObjectFormat, PackEvent } from "@x/objects";
import { CHUNK_HEADROOM_BYTES } from "./pack-output.ts";
import { ProgressMeter } from "./progress-meter.ts";

/** "PACK", version 2, no objects. Spec: gitformat-pack. */
const HEADER = [0x50, 0x41, 0x43, 0x4b, 0, 0, 0, 2, 0, 0, 0, 0];

/** What `makePack` gives where nothing is selected, without a look at any object. */
export function* makeEmptyPack(
  format: ObjectFormat,
  options: { readonly createHasher: CreateHasher; readonly progress?: boolean | undefined },
): Generator<PackEvent, void> {
  const meter = new ProgressMeter(options.progress === true);
  yield* meter.done("Enumerating objects", 0);
  yield* meter.done("Counting objects", 0, 0);
  const hasher = options.createHasher(format);
  hasher.update(Uint8Array.from(HEADER));
  const hash = hasher.digest();
  const whole = new Uint8Array(CHUNK_HEADROOM_BYTES + HEADER.length + hash.length);
  const bytes = whole.subarray(CHUNK_HEADROOM_BYTES);
  bytes.set(HEADER);
  bytes.set(hash, HEADER.length);
  yield { kind: "bytes", bytes, headroom: CHUNK_HEADROOM_BYTES };
  yield* meter.text("Total 0 (delta 0), reused 0 (delta 0), pack-reused 0 (from 0)\n");
  yield { kind: "summary", summary: { objects: 0, bytes: bytes.length, reused: 0, deltas: 0 } };
}
