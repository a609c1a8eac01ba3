import { type Crc32, type CreateHasher, createHasher } from "@x/objects";
import { createZlibCodec, DeltaBaseCache, type HashInto, type ZlibCodec } from "@x/pack";

/** What hashes, inflates and deflates. `./node` has faster ones than those that run anywhere. */
export interface MemoryTools {
  readonly codec: ZlibCodec;
  readonly createHasher: CreateHasher;
  readonly hashInto?: HashInto | undefined;
  readonly crc32?: Crc32 | undefined;
}

/** Delta bases kept, all repositories together. Unit: bytes. */
const BASE_CACHE_BYTES = 16 * 1024 * 1024;

let neutral: MemoryTools | undefined;
let cache: DeltaBaseCache | undefined;

/** Those that run anywhere, made once. */
export function neutralTools(): MemoryTools {
  neutral ??= { codec: createZlibCodec(), createHasher };
  return neutral;
}

/** One for all repositories: a thread reads one object at a time. */
export function sharedBaseCache(): DeltaBaseCache {
  cache ??= new DeltaBaseCache(BASE_CACHE_BYTES);
  return cache;
}
