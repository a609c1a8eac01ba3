import { PacketReader } from "@x/pktline";
import { admit } from "./access/admit.ts";
import type { Authorize } from "./access/authorize.ts";
import { evenOut } from "./access/even-out.ts";
import { PackGate } from "./admission/pack-gate.ts";
import { exchangesSessionIds } from "./announce/server-features.ts";
import { uploadArchive } from "./archive/upload-archive.ts";
import { logCall } from "./call-log.ts";
import { createDumbService } from "./dumb/create-dumb-service.ts";
import type { DumbService } from "./dumb/dumb-service.ts";
import { ServiceError } from "./errors.ts";
import { lastWords, toServiceError } from "./failure.ts";
import { uploadPackV0 } from "./fetch/upload-pack-v0.ts";
import { uploadPackV2 } from "./fetch/upload-pack-v2.ts";
import type { Hooks } from "./hooks.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { type CallMetrics, type Metrics, NO_METRICS, timed } from "./metrics.ts";
import type { Logger, Repository, RepositoryResolver } from "./ports.ts";
import { makeNonce } from "./push/cert-nonce.ts";
import { nonceSource } from "./push/certificate.ts";
import type { FsckPreset } from "./push/fsck-settings.ts";
import { receivePack } from "./push/receive-pack.ts";
import type { VerifyPush } from "./push-hooks.ts";
import { RepositoryMemories } from "./repository-memory.ts";
import { resolveRepository } from "./resolve-repository.ts";
import type { GitService, ServiceCall, ServiceName } from "./service.ts";
import type { CallStats, Session } from "./session.ts";
import { RefScope } from "./visible/ref-scope.ts";
import { ShownIds } from "./visible/shown-ids.ts";
import { VisibleRefs } from "./visible/visibility.ts";

/** What a server is made of. */
export interface GitServiceOptions {
  readonly repositories: RepositoryResolver;
  /** Asked about every call. Without it everybody may use the services. */
  readonly authorize?: Authorize;
  /** Default: fetching only; all of them where `authorize` decides. */
  readonly services?: readonly ServiceName[];
  readonly limits?: Partial<Limits>;
  /** How pushed objects are checked where a repository's config says nothing of it. Default: `strict`. */
  readonly fsck?: FsckPreset;
  /**
   * A push of fewer objects is stored one by one where a repository's config says nothing of it. Default: 0, every push
   * stays a pack. Spec: git-config, `receive.unpackLimit`.
   */
  readonly unpackLimit?: number;
  readonly logger?: Logger;
  /** Hears how calls go. */
  readonly metrics?: Metrics;
  /** What the server calls itself to clients. */
  readonly agent?: string;
  readonly hooks?: Hooks;
  /** Verifies push certificates. Without it what hooks hear of them is that they cannot be checked. */
  readonly verifyPush?: VerifyPush;
  /** The clock that nonces of push certificates and archives go by. Default: the system's. Unit: milliseconds since 1970. */
  readonly now?: () => number;
  /** Names each call for clients and logs where the repository exchanges such names. Default: at random. */
  readonly sessionId?: () => string;
}

interface Settings {
  readonly repositories: RepositoryResolver;
  readonly authorize: Authorize | undefined;
  readonly services: ReadonlySet<ServiceName>;
  readonly limits: Limits;
  readonly fsck: FsckPreset;
  readonly unpackLimit: number;
  readonly logger: Logger | undefined;
  readonly agent: string;
  readonly hooks: Hooks;
  readonly verifyPush: VerifyPush | undefined;
  readonly now: () => number;
  readonly sessionId: () => string;
  readonly memories: RepositoryMemories;
  readonly metrics: Metrics;
  readonly gate: PackGate;
  readonly pushGate: PackGate;
}

const FETCHING: readonly ServiceName[] = ["git-upload-pack"];
const ALL_SERVICES: readonly ServiceName[] = ["git-upload-pack", "git-receive-pack", "git-upload-archive"];

/** The ways into one server. */
export interface GitServices {
  readonly service: GitService;
  /** Files one by one, under the same rules. */
  readonly dumb: DumbService;
}

/**
 * Makes a Git server out of repositories. Calls know nothing of each other, but for what is
 * remembered of a repository's refs for a while; leaving a call's iteration calls off
 * whatever runs for it, at once.
 */
export function createGitService(options: GitServiceOptions): GitService {
  return createGitServices(options).service;
}

/** The same with what clients of dumb transports need. */
export function createGitServices(options: GitServiceOptions): GitServices {
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const settings: Settings = {
    repositories: options.repositories,
    authorize: options.authorize,
    services: new Set(options.services ?? (options.authorize ? ALL_SERVICES : FETCHING)),
    limits,
    fsck: options.fsck ?? "strict",
    unpackLimit: options.unpackLimit ?? 0,
    logger: options.logger,
    agent: options.agent ?? "x-server-core/0",
    hooks: options.hooks ?? {},
    verifyPush: options.verifyPush,
    now: options.now ?? Date.now,
    sessionId: options.sessionId ?? (() => crypto.randomUUID()),
    memories: new RepositoryMemories(limits),
    metrics: options.metrics ?? NO_METRICS,
    gate: new PackGate(limits),
    pushGate: pushGate(limits),
  };
  return { service: (call) => running(settings, call), dumb: createDumbService(settings) };
}

/** Apart from {@link Settings.gate}: a pack comes in at its pusher's pace, and must not keep fetches waiting. */
function pushGate(limits: Limits): PackGate {
  return new PackGate(
    {
      maxPacks: limits.maxPushes,
      maxPacksPerRepository: limits.maxPushesPerRepository,
      maxQueuedPacks: limits.maxQueuedPushes,
      maxPackWaitMs: limits.maxPushWaitMs,
    },
    { full: "too many pushes are being taken in", late: "no push could be taken in" },
  );
}

function running(settings: Settings, call: ServiceCall): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const leave = new AbortController();
      const run = serve(settings, call, leave);
      return {
        next: () => run.next(),
        // A generator that waits would only hear of it after its wait.
        return: () => {
          leave.abort(new ServiceError("server-core/aborted", "the consumer left"));
          return run.return(undefined);
        },
      };
    },
  };
}

async function* serve(
  settings: Settings,
  asked: ServiceCall,
  leave: AbortController,
): AsyncGenerator<Uint8Array, void, undefined> {
  const started = performance.now();
  let call = asked;
  const follow = () => leave.abort(asked.signal.reason);
  asked.signal.addEventListener("abort", follow, { once: true });
  if (asked.signal.aborted) follow();
  const { service, transport, version } = asked;
  const metrics = settings.metrics.call({ service, transport, version });
  let firstByteMs: number | undefined;
  const stats: CallStats = { bytesOut: 0 };
  let session: Session | undefined;
  let outcome: "ok" | "left" | ServiceError = "left";
  try {
    const peer = await timed(metrics, "authorize", () => admit(settings, asked, leave.signal));
    call = { ...asked, peer };
    session = await openSession(settings, call, leave.signal, { stats, metrics });
    for await (const chunk of runService(session)) {
      if (session.channel.kind === "transport") session.channel = { kind: "packet" };
      firstByteMs ??= performance.now() - started;
      stats.bytesOut += chunk.length;
      yield chunk;
    }
    outcome = "ok";
  } catch (thrown) {
    const error = toServiceError(thrown, leave.signal);
    outcome = error;
    if (settings.authorize !== undefined) await evenOut(error, started, settings.limits.refusalStepMs);
    const words = session && lastWords(error, session.channel);
    if (words !== undefined) {
      stats.bytesOut += words.length;
      yield words;
    }
    const reported = stats.bytesOut > 0 || session?.channel.kind === "lost";
    throw reported === error.reported
      ? error
      : new ServiceError(error.code, error.message, {
          reported,
          retryAfterMs: error.retryAfterMs,
          cause: error.cause,
        });
  } finally {
    asked.signal.removeEventListener("abort", follow);
    const ms = performance.now() - started;
    const bytesIn = session?.input.bytesRead ?? 0;
    logCall(settings.logger, call, { ...stats, ms: Math.round(ms), bytesIn }, outcome);
    const word = typeof outcome === "object" ? outcome.code : outcome;
    metrics.end({ outcome: word, ms, firstByteMs, bytesIn, bytesOut: stats.bytesOut });
  }
}

function runService(session: Session): AsyncIterable<Uint8Array> {
  switch (session.call.service) {
    case "git-receive-pack":
      return receivePack(session);
    case "git-upload-archive":
      return uploadArchive(session);
    case "git-upload-pack":
      return session.call.version === 2 ? uploadPackV2(session) : uploadPackV0(session);
  }
}

async function openSession(
  settings: Settings,
  call: ServiceCall,
  signal: AbortSignal,
  { stats, metrics }: { readonly stats: CallStats; readonly metrics: CallMetrics },
): Promise<Session> {
  if (!settings.services.has(call.service))
    throw new ServiceError("server-core/service-disabled", `${call.service} is not enabled`);
  const repository = await timed(metrics, "resolve", () => resolveRepository(settings, call, signal));
  call.vet?.(repository, call.peer);
  const { limits, fsck, unpackLimit, logger, agent, hooks } = settings;
  const onBroken = (ref: string) =>
    logger?.warn({ repository: call.repository, ref }, "broken ref passed over");
  const scope = new RefScope(repository, call.service === "git-receive-pack" ? "receive" : "uploadpack");
  const memory = settings.memories.of(repository.objects, scope.key);
  const sessionId = exchangesSessionIds(repository.config) ? settings.sessionId() : undefined;
  if (sessionId !== undefined) stats.sessionId = sessionId;
  return {
    call,
    repository,
    refs: new VisibleRefs(repository, { scope, onBroken }),
    memory,
    sessionId,
    certNonce: certNonce(call, repository, settings.now()),
    verifyPush: settings.verifyPush,
    now: settings.now,
    input: new PacketReader(guarded(call.input), { signal }),
    limits,
    gate: settings.gate,
    pushGate: settings.pushGate,
    metrics,
    fsck,
    unpackLimit,
    hooks,
    agent,
    logger,
    signal,
    stats,
    shown: new ShownIds(),
    // Whoever sends a request understands an ERR packet; an announcement may still become a status instead.
    channel: call.mode === "rpc" ? { kind: "packet" } : { kind: "transport" },
  };
}

function certNonce(call: ServiceCall, repository: Repository, now: number): string | undefined {
  const source = call.service === "git-receive-pack" ? nonceSource(call, repository) : undefined;
  return source && makeNonce(source, Math.floor(now / 1000));
}

/** A connection that breaks is no fault of ours. */
async function* guarded(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of input) yield chunk;
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    throw new ServiceError("server-core/aborted", "the connection broke", { cause });
  }
}
