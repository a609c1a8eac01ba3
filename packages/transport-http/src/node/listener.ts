import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { LentBuffers } from "@x/server-core";
import { TransportHttpError } from "../errors.ts";
import { BODY_TAKEN, type FetchHandler } from "../fetch-handler.ts";
import type { HttpAnswer, HttpRequest } from "../http-message.ts";
import { askWhetherGone } from "./ask-whether-gone.ts";
import { type BodyPace, bodyOf, isGzip, parsedBody } from "./request-body.ts";
import { sendBody } from "./send-body.ts";

/** How patient a listener is. Times are in milliseconds. */
export interface NodeListenerOptions {
  /** A body may stand still that long. 60,000 when not given. */
  readonly readIdleTimeoutMs?: number | undefined;
  /** A body has to come as fast on average, while it is waited for. 1,000 when not given. Unit: bytes per second. */
  readonly minBodyRate?: number | undefined;
  /** Over so long the average is taken. 30,000 when not given. */
  readonly rateWindowMs?: number | undefined;
  /**
   * A client may leave what waits for it unread that long; as that is up to 256 KiB and a chunk, it is also the least
   * speed of a reader. 120,000 when not given.
   */
  readonly writeIdleTimeoutMs?: number | undefined;
  /** After an answer that came early: how long to read and forget the rest of the body. 2,000 when not given. */
  readonly lingerTimeoutMs?: number | undefined;
  /** The same in bytes. 16 MiB when not given. */
  readonly maxLingerBytes?: number | undefined;
}

type Patience = BodyPace & { readonly [name in keyof NodeListenerOptions]-?: number };

/**
 * Runs a handler as a listener of `node:http`, with the client's pace as the handler's pace. Nothing waits for more
 * to come; a client who goes away aborts the request's signal. Also a handler of Express and its like: best in front of body
 * parsers, and behind one that has left the bytes in `request.body`; any other answer is `transport-http/body-taken`.
 */
export function toNodeListener(
  { answer }: Pick<FetchHandler, "answer">,
  options: NodeListenerOptions = {},
): RequestListener {
  const patience: Patience = {
    readIdleTimeoutMs: options.readIdleTimeoutMs ?? 60_000,
    minBodyRate: options.minBodyRate ?? 1000,
    rateWindowMs: options.rateWindowMs ?? 30_000,
    writeIdleTimeoutMs: options.writeIdleTimeoutMs ?? 120_000,
    lingerTimeoutMs: options.lingerTimeoutMs ?? 2000,
    maxLingerBytes: options.maxLingerBytes ?? 16 * 1024 * 1024,
  };
  return (message, reply) => {
    serve(answer, message, reply, patience).catch(() => reply.destroy());
  };
}

async function serve(
  answer: FetchHandler["answer"],
  message: IncomingMessage,
  reply: ServerResponse,
  patience: Patience,
): Promise<void> {
  const gone = new AbortController();
  // Without these listeners a reset connection would end the process.
  message.on("error", () => {});
  reply.on("error", () => {});
  reply.once("close", () => {
    if (!reply.writableFinished)
      gone.abort(new TransportHttpError("transport-http/gone", "the client went away"));
  });
  reply.once("finish", () => linger(message, patience));
  askWhetherGone(message, reply);
  const lent = new LentBuffers();
  const request = requestOf(message, { signal: gone.signal, pace: patience, lend: lent.lend });
  const given = request === undefined ? BODY_TAKEN : await answer(request);
  if (gone.signal.aborted) return leave(given);
  reply.writeHead(given.status, { ...given.headers });
  if (given.body === undefined || given.body instanceof Uint8Array) reply.end(given.body);
  else
    await sendBody(given.body, reply, { gone: gone.signal, writeIdleMs: patience.writeIdleTimeoutMs, lent });
}

/** @returns `undefined` when its body is lost */
function requestOf(
  message: IncomingMessage,
  { signal, pace, lend }: Pick<HttpRequest, "signal" | "lend"> & { readonly pace: BodyPace },
): HttpRequest | undefined {
  const { method = "GET", url = "/", httpVersion } = message;
  const parsed = method === "POST" ? parsedBody(message) : undefined;
  if (parsed === "taken") return undefined;
  // These have come true, or stopped being so, in the parser's hands.
  const changed = parsed && new Set(["content-length", ...(isGzip(parsed) ? [] : ["content-encoding"])]);
  return {
    method,
    target: url,
    header: (name) => (changed?.has(name) ? undefined : message.headersDistinct[name]?.join(", ")),
    body: parsed === undefined ? bodyOf(message, pace) : only(parsed),
    signal,
    mayBeGone: () => message.socket.readableEnded,
    scheme: "encrypted" in message.socket ? "https" : "http",
    lend,
    peer: { address: message.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "") },
    protocol: `HTTP/${httpVersion}`,
  };
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function leave({ body }: HttpAnswer): Promise<void> {
  if (body !== undefined && !(body instanceof Uint8Array)) await body[Symbol.asyncIterator]().return?.();
}

/** Closing while the client still sends would reset the connection, and it might lose the answer. */
function linger(message: IncomingMessage, patience: Patience): void {
  if (message.complete || message.destroyed) return;
  const { socket } = message;
  let left = patience.maxLingerBytes;
  const timer = setTimeout(() => socket.destroy(), patience.lingerTimeoutMs);
  message.once("close", () => clearTimeout(timer));
  message.once("end", () => clearTimeout(timer));
  message.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  message.resume();
}
