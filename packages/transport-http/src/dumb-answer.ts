import type { Credentials, DumbContent, DumbFile, DumbService, ServiceCall } from "@x/server-core";
import { type ByteRange, parseRange } from "./byte-range.ts";
import { isNotModified, mayContinue } from "./conditions.ts";
import { TransportHttpError } from "./errors.ts";
import type { HttpAnswer, HttpRequest } from "./http-message.ts";
import { refusalOf } from "./outcome.ts";
import type { RequestLog } from "./request-log.ts";
import { NO_CACHE, refusalAnswer } from "./response.ts";
import type { Route } from "./route.ts";

/** A request for a file. */
export interface DumbExchange {
  readonly route: Extract<Route, { readonly kind: "file" }>;
  readonly request: HttpRequest;
  readonly credentials: Credentials;
  readonly challenge: string;
  readonly vet: ServiceCall["vet"];
  readonly log: RequestLog;
  /** Unit: milliseconds since 1970. */
  readonly now: () => number;
}

/** What never changes may be kept for a year. Unit: seconds. */
const FOREVER = 31_536_000;

const TYPES: Readonly<Record<DumbFile["kind"], string>> = {
  head: "text/plain",
  "info-refs": "text/plain",
  packs: "text/plain; charset=utf-8",
  alternates: "text/plain",
  "http-alternates": "text/plain",
  "loose-object": "application/x-git-loose-object",
  pack: "application/x-git-packed-objects",
  "pack-index": "application/x-git-packed-objects-toc",
};

/** A file, or a part of it, with git-http-backend's headers and those that let a client go on where it stopped. */
export async function dumbAnswer(dumb: DumbService, exchange: DumbExchange): Promise<HttpAnswer> {
  const { route, request, credentials, vet, log } = exchange;
  const { signal, peer, scheme: transport = "http" } = request;
  let content: DumbContent | undefined;
  try {
    const { repository, file } = route;
    content = await dumb({ repository, file, transport, peer, credentials, vet, signal });
  } catch (error) {
    const refusal = refusalOf(error, "git-upload-pack", exchange.challenge);
    log.add({ status: refusal.status });
    log.end({ error });
    return refusalAnswer(refusal, route.head);
  }
  if (content === undefined) {
    log.add({ status: 404 });
    log.end({});
    return refusalAnswer({ status: 404, text: "Not found" }, route.head);
  }
  return contentAnswer(content, exchange);
}

async function contentAnswer(content: DumbContent, exchange: DumbExchange): Promise<HttpAnswer> {
  const { route, request, log, now } = exchange;
  const { size, stamp } = content;
  const validators = {
    etag: stamp === undefined ? undefined : `"${stamp}"`,
    modified: content.modifiedMs === undefined ? undefined : Math.floor(content.modifiedMs / 1000),
  };
  const headers: Record<string, string> = {
    ...(content.immutable ? cacheForever(now(), exchange.credentials) : NO_CACHE),
  };
  if (validators.modified !== undefined)
    headers["last-modified"] = new Date(validators.modified * 1000).toUTCString();
  if (validators.etag !== undefined) headers.etag = validators.etag;
  headers["x-content-type-options"] = "nosniff";
  const finish = (status: number, body: HttpAnswer["body"]): HttpAnswer => {
    log.add({ status });
    if (body === undefined) log.end({});
    return { status, headers, body };
  };

  if (isNotModified(request.header, validators)) {
    await content.close();
    return finish(304, undefined);
  }
  let range: ByteRange = { kind: "all" };
  if (size !== undefined && stamp !== undefined) {
    headers["accept-ranges"] = "bytes";
    if (mayContinue(request.header("if-range"), validators))
      range = parseRange(request.header("range"), size);
  }
  if (range.kind === "none") {
    await content.close();
    headers["content-range"] = `bytes */${size}`;
    headers["content-length"] = "0";
    return finish(416, undefined);
  }
  headers["content-type"] = TYPES[route.file.kind];
  const { start, end } = range.kind === "part" ? range : { start: 0, end: size };
  if (end !== undefined) headers["content-length"] = String(end - start);
  if (range.kind === "part") headers["content-range"] = `bytes ${start}-${range.end - 1}/${size}`;
  const status = range.kind === "part" ? 206 : 200;
  if (route.head || end === start) {
    await content.close();
    return finish(status, undefined);
  }
  const part = end === undefined ? undefined : { start, end };
  return finish(status, fileBody(content, part, log, request.signal));
}

/** A file that nobody begins to read is closed, too. */
function fileBody(
  content: DumbContent,
  part: { readonly start: number; readonly end: number } | undefined,
  log: RequestLog,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      let run: AsyncGenerator<Uint8Array, void, undefined> | undefined;
      return {
        next: () => {
          run ??= logged(content.read(part), log, signal);
          return run.next();
        },
        async return() {
          if (run !== undefined) return run.return();
          log.end({ error: gone() });
          await content.close();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function gone(): TransportHttpError {
  return new TransportHttpError("transport-http/gone", "the client went away");
}

/** Ends, with the file closed, as soon as the client has gone. */
async function* logged(
  chunks: AsyncIterable<Uint8Array>,
  log: RequestLog,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let failure: unknown = gone();
  try {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      log.bytesOut += chunk.length;
      yield chunk;
    }
    failure = undefined;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    log.end({ error: failure });
  }
}

function cacheForever(now: number, credentials: Credentials): Record<string, string> {
  // What was shown to somebody is not for a cache that others ask.
  const whose = credentials.kind === "anonymous" ? "public" : "private";
  return {
    expires: new Date(now + FOREVER * 1000).toUTCString(),
    "cache-control": `${whose}, max-age=${FOREVER}, immutable`,
  };
}
