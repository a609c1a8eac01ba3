import { admit } from "../access/admit.ts";
import type { Authorize } from "../access/authorize.ts";
import { evenOut } from "../access/even-out.ts";
import { logCall } from "../call-log.ts";
import { ServiceError } from "../errors.ts";
import { toServiceError } from "../failure.ts";
import type { Limits } from "../limits.ts";
import type { CallMetrics, CallResult, Metrics } from "../metrics.ts";
import type { Logger, Repository, RepositoryResolver, StoredFile } from "../ports.ts";
import { resolveRepository } from "../resolve-repository.ts";
import type { ServiceCall, ServiceName } from "../service.ts";
import type { DumbCall, DumbContent, DumbService } from "./dumb-service.ts";
import { generateHead, generateInfoRefs, generateObjectsInfoPacks } from "./info-refs.ts";

/** What a {@link DumbService} needs of a server's settings. */
export interface DumbSettings {
  readonly repositories: RepositoryResolver;
  readonly authorize: Authorize | undefined;
  readonly services: ReadonlySet<ServiceName>;
  readonly limits: Pick<Limits, "refusalStepMs">;
  readonly logger: Logger | undefined;
  readonly metrics: Metrics;
}

/** A listing up to this length is made whole, so that its length can be told. Unit: bytes. */
const MAX_WHOLE_BYTES = 1024 * 1024;

/** Serves files under the same rules as fetches. */
export function createDumbService(settings: DumbSettings): DumbService {
  return async (asked) => {
    const started = performance.now();
    let call = fetchCall(asked);
    const { service, transport } = call;
    const metrics = settings.metrics.call({ service, transport, version: "dumb" });
    let outcome: "ok" | ServiceError = "ok";
    let content: DumbContent | undefined;
    try {
      call = { ...call, peer: await admit(settings, call, asked.signal) };
      if (!settings.services.has(call.service))
        throw new ServiceError("server-core/service-disabled", "fetching is not enabled");
      const repository = await resolveRepository(settings, call, asked.signal);
      call.vet?.(repository, call.peer);
      content = await openContent(repository, asked, settings.logger);
      return content && counted(content, metrics, started);
    } catch (thrown) {
      outcome = toServiceError(thrown, asked.signal);
      if (settings.authorize !== undefined) await evenOut(outcome, started, settings.limits.refusalStepMs);
      throw outcome;
    } finally {
      const ms = Math.round(performance.now() - started);
      const reason = outcome === "ok" && content === undefined ? { reason: "no such file" } : {};
      const stats = { file: asked.file.kind, bytesOut: content?.size ?? 0, bytesIn: 0, ms, ...reason };
      logCall(settings.logger, { ...call, mode: "file" }, stats, outcome);
      const word = outcome === "ok" ? outcome : outcome.code;
      if (content === undefined)
        metrics.end({ outcome: word, ms, firstByteMs: undefined, bytesIn: 0, bytesOut: 0 });
    }
  };
}

/** Tells of it when it was read or closed, and of what was read. */
function counted(content: DumbContent, metrics: CallMetrics, started: number): DumbContent {
  let firstByteMs: number | undefined;
  let bytesOut = 0;
  let over = false;
  const end = (outcome: CallResult["outcome"]) => {
    if (over) return;
    over = true;
    metrics.end({ outcome, ms: performance.now() - started, firstByteMs, bytesIn: 0, bytesOut });
  };
  return {
    ...content,
    async *read(range) {
      let outcome: CallResult["outcome"] = "left";
      try {
        for await (const chunk of content.read(range)) {
          firstByteMs ??= performance.now() - started;
          bytesOut += chunk.length;
          yield chunk;
        }
        outcome = "ok";
      } catch (error) {
        outcome = "server-core/internal";
        throw error;
      } finally {
        end(outcome);
      }
    },
    async close() {
      end("ok");
      await content.close();
    },
  };
}

/** As whom resolvers and rules know it: somebody who wants to fetch. */
function fetchCall({ file: _, ...call }: DumbCall): ServiceCall {
  return { ...call, service: "git-upload-pack", version: 0, mode: "advertise", input: nothing() };
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

async function openContent(
  repository: Repository,
  { file, signal, repository: name }: DumbCall,
  logger: Logger | undefined,
): Promise<DumbContent | undefined> {
  const { files } = repository;
  if (files === undefined)
    throw new ServiceError("server-core/service-disabled", "the repository's files are not served");
  const onBroken = (ref: string) => logger?.warn({ repository: name, ref }, "broken ref passed over");
  switch (file.kind) {
    case "head":
      return whole(await generateHead(repository, { signal, onBroken }));
    case "info-refs":
      return listing(generateInfoRefs(repository, { signal, onBroken }));
    case "packs":
      return whole(await generateObjectsInfoPacks(repository));
    default: {
      const stored = await files.open(file);
      return stored && asContent(stored, file.kind !== "alternates" && file.kind !== "http-alternates");
    }
  }
}

function asContent(file: StoredFile, immutable: boolean): DumbContent {
  const { size, stamp, modifiedMs } = file;
  return {
    size,
    stamp,
    modifiedMs,
    immutable,
    read: (range) => file.read(range ?? { start: 0, end: size }),
    close: () => file.close(),
  };
}

function whole(bytes: Uint8Array): DumbContent {
  return {
    size: bytes.length,
    immutable: false,
    async *read(range) {
      const part = range === undefined ? bytes : bytes.subarray(range.start, range.end);
      for (let at = 0; at < part.length; at += 65536) yield part.subarray(at, at + 65536);
    },
    close: async () => {},
  };
}

/** Made whole as long as it is short. */
async function listing(chunks: AsyncGenerator<Uint8Array, void, undefined>): Promise<DumbContent> {
  const made: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await chunks.next();
    if (done === true) return whole(concatenated(made, size));
    made.push(value);
    size += value.length;
    if (size > MAX_WHOLE_BYTES) break;
  }
  return {
    size: undefined,
    immutable: false,
    async *read() {
      try {
        yield* made;
        yield* chunks;
      } finally {
        await chunks.return();
      }
    },
    close: async () => void (await chunks.return()),
  };
}

function concatenated(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
