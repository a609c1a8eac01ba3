import { homedir } from "node:os";
import type { ObjectStore } from "@x/objects";
import type { FileConfig } from "../config/repository-config.ts";
import { callForAnyEvents } from "../pool/worker-call.ts";
import type { WorkerPool } from "../pool/worker-pool.ts";
import type { StoreLocation } from "../pool/worker-protocol.ts";

/** Archives of a repository's trees, made by a worker. @param commonDirectory `$GIT_COMMON_DIR` */
export function archiveMaker(
  pool: WorkerPool,
  location: StoreLocation,
  { commonDirectory, config }: { readonly commonDirectory: string; readonly config: FileConfig },
): NonNullable<ObjectStore["createArchive"]> {
  const user = config.get("core.attributesFile")?.replace(/^~(?=\/)/, homedir());
  return async function* createArchive(request, options = {}) {
    const args = {
      request,
      repositoryAttributes: `${commonDirectory}/info/attributes`,
      userAttributes: user?.startsWith("/") ? user : undefined,
    };
    const events = callForAnyEvents(pool, "createArchive", location, args, options, (event) =>
      event.kind === "refs" ? answer(options.refs) : undefined,
    );
    for await (const event of events) if (event.kind === "bytes" || event.kind === "message") yield event;
  };
}

async function answer(refs: (() => Promise<readonly object[]>) | undefined): Promise<Uint8Array> {
  return new TextEncoder().encode(JSON.stringify((await refs?.()) ?? []));
}
