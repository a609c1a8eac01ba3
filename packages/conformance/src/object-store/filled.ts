import type {
  ObjectId,
  ObjectStore,
  PackEvent,
  PackReceipt,
  PackRequest,
  PackSummary,
  Quarantine,
  TakePackOptions,
} from "@x/objects";
import { holds, same } from "../expect.ts";
import type { GitObject } from "../sample/git-object.ts";
import { cut, joined, type PackPart, packOf } from "../sample/pack-of.ts";

/** What comes in meets no limit. */
export const UNLIMITED: TakePackOptions = { limits: {} };

/** Puts objects into a store. */
export async function fill(store: ObjectStore, objects: readonly GitObject[]): Promise<void> {
  const quarantine = await store.receive();
  try {
    await quarantine.takePack(cut(packOf(store.format, objects)), UNLIMITED);
    await quarantine.publish();
  } finally {
    await quarantine.discard();
  }
}

/** Opens a quarantine, and ends it in any case. */
export async function incoming<T>(
  store: ObjectStore,
  parts: readonly PackPart[],
  work: (quarantine: Quarantine, receipt: PackReceipt) => Promise<T>,
  options: TakePackOptions = UNLIMITED,
): Promise<T> {
  const quarantine = await store.receive();
  try {
    const receipt = await quarantine.takePack(cut(packOf(store.format, parts), 1000), options);
    return await work(quarantine, receipt);
  } finally {
    await quarantine.discard();
  }
}

/** A pack as a store made it. */
export interface MadePack {
  readonly bytes: Uint8Array;
  readonly summary: PackSummary;
  readonly progress: readonly string[];
  readonly elsewhere: readonly (readonly ObjectId[])[];
}

/** Reads a pack to its end, and holds its events to what the port says of them. */
export async function made(store: ObjectStore, request: PackRequest): Promise<MadePack> {
  const chunks: Uint8Array[] = [];
  const progress: string[] = [];
  const elsewhere: (readonly ObjectId[])[] = [];
  let summary: PackSummary | undefined;
  for await (const event of store.createPack(request)) {
    holds(summary === undefined, "an event comes after the summary");
    chunks.push(...bytesOf(event));
    if (event.kind === "progress") progress.push(event.text);
    else if (event.kind === "summary") summary = event.summary;
    else if (event.kind === "elsewhere") {
      holds(chunks.length === 0, "what is elsewhere is told after the first bytes");
      elsewhere.push(event.ids);
    }
  }
  holds(summary !== undefined, "there is no summary");
  const bytes = joined(chunks);
  same(summary.bytes, bytes.length, "the summary's bytes");
  return { bytes, summary, progress, elsewhere };
}

function bytesOf(event: PackEvent): Uint8Array[] {
  if (event.kind !== "bytes") return [];
  const { bytes, headroom = 0 } = event;
  holds(bytes.length > 0 && bytes.length <= 65_536, `a chunk has ${bytes.length} bytes`);
  holds(bytes.byteOffset >= headroom, "there is less headroom than is said");
  const copy = bytes.slice();
  // Whoever frames a chunk writes there.
  new Uint8Array(bytes.buffer, bytes.byteOffset - headroom, headroom).fill(0xee);
  return [copy];
}

/** Which of `candidates` a pack holds, going by a new store that takes it in. */
export async function contents(
  into: ObjectStore,
  { bytes, summary }: MadePack,
  candidates: readonly GitObject[],
  options: TakePackOptions = { limits: {}, mayBeThin: false },
): Promise<Set<ObjectId>> {
  const ids = candidates.map(({ id }) => id);
  const before = await into.has(ids);
  const quarantine = await into.receive();
  try {
    const receipt = await quarantine.takePack(cut(bytes), options);
    same(receipt.objects, summary.objects, "the summary's objects");
    const has = await quarantine.has(ids);
    return new Set(ids.filter((_, i) => has[i] === true && before[i] === false));
  } finally {
    await quarantine.discard();
  }
}
