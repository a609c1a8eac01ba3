import type { ObjectId } from "@x/objects";
import { ServiceError } from "../errors.ts";
import { toServiceError } from "../failure.ts";
import type { FetchContext, FetchResult, FetchWant } from "../hooks.ts";
import { refused, type Session } from "../session.ts";
import type { FetchRequest } from "./fetch-request.ts";

/** Around one request for a pack: what the host says before, and hears after. */
export interface FetchWatch {
  /** Passes on what is sent, and tells `postFetch` how it ended. */
  over(sent: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

const NOBODY: FetchWatch = { over: (sent) => sent };

/**
 * Asks the `preFetch` hook.
 * @throws ServiceError `server-core/refused` with the hook's words, `server-core/internal` when it threw
 */
export async function openFetch(
  session: Session,
  request: FetchRequest,
  said: { readonly haves: Iterable<ObjectId>; readonly serverOptions: readonly string[] },
): Promise<FetchWatch> {
  const { hooks, call, repository, signal, stats } = session;
  if (hooks.preFetch === undefined && hooks.postFetch === undefined) return NOBODY;
  const started = performance.now();
  const bytesBefore = stats.bytesOut;
  delete stats.objects;
  const context: FetchContext = {
    call,
    repository,
    wants: await namedWants(session, request.wants),
    haves: [...said.haves],
    depth: {
      shallow: [...request.shallow],
      depth: request.depth,
      relative: request.deepenRelative,
      since: request.deepenSince,
      not: [...request.deepenNot],
    },
    filter: request.filter,
    serverOptions: said.serverOptions,
    signal,
  };
  const refusal = await hooks.preFetch?.(context);
  if (refusal !== undefined) throw refused(refusal);
  const tell = async (result: Pick<FetchResult, "outcome" | "error">): Promise<void> => {
    const ms = Math.round(performance.now() - started);
    const bytes = stats.bytesOut - bytesBefore;
    try {
      await hooks.postFetch?.(context, { ...result, objects: stats.objects, bytes, ms });
    } catch (error) {
      session.logger?.error({ repository: call.repository, error }, "the postFetch hook failed");
    }
  };
  return { over: (sent) => watched(session, sent, tell) };
}

async function* watched(
  session: Session,
  sent: AsyncIterable<Uint8Array>,
  tell: (result: Pick<FetchResult, "outcome" | "error">) => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let result: Pick<FetchResult, "outcome" | "error"> = { outcome: "left" };
  try {
    yield* sent;
    result = { outcome: "sent" };
  } catch (thrown) {
    const error = thrown instanceof ServiceError ? thrown : toServiceError(thrown, session.signal);
    if (!session.signal.aborted) result = { outcome: "failed", error };
    throw thrown;
  } finally {
    await tell(result);
  }
}

async function namedWants(session: Session, wants: ReadonlySet<ObjectId>): Promise<FetchWant[]> {
  const names = new Map<ObjectId, string[]>([...wants].map((id) => [id, []]));
  const { ref: head } = await session.refs.head({ signal: session.signal });
  if (head !== undefined) names.get(head.id)?.push("HEAD");
  for await (const batch of session.refs.list({ signal: session.signal }))
    for (const { id, name } of batch) names.get(id)?.push(name);
  return [...names].map(([id, refs]) => ({ id, refs }));
}
