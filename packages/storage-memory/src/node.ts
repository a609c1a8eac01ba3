import { createNodeHasher } from "@x/objects/node";
import { createNodeZlibCodec, nodeCrc32, nodeHashInto } from "@x/pack/node";
import type { MemoryTools } from "./memory-tools.ts";

/** @packageDocumentation What makes repositories in memory quicker under Node. */

/** Node's own zlib and hashes: `createMemoryRepository({ tools: createNodeTools() })`. */
export function createNodeTools(): MemoryTools {
  return {
    codec: createNodeZlibCodec(),
    createHasher: createNodeHasher,
    hashInto: nodeHashInto,
    crc32: nodeCrc32,
  };
}
