import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { TransportHttpError } from "../errors.ts";
import type { FetchHandler } from "../fetch-handler.ts";
import { toRequest } from "./request.ts";

/** How patient a listener is. Times are in milliseconds. */
export interface NodeListenerOptions {
  /** A body may stand still that long. 60,000 when not given. */
  readonly readIdleTimeoutMs?: number | undefined;
  /** A client may leave one chunk unread that long. 120,000 when not given. */
  readonly writeIdleTimeoutMs?: number | undefined;
  /** After an answer that came early: how long to read and forget the rest of the body. 2,000 when not given. */
  readonly lingerTimeoutMs?: number | undefined;
  /** The same in bytes. 16 MiB when not given. */
  readonly maxLingerBytes?: number | undefined;
}

type Patience = { readonly [name in keyof NodeListenerOptions]-?: number };

/**
 * Runs a fetch-style handler as a listener of `node:http`, with the client's pace as the handler's pace. Each chunk
 * is sent at once; a client who goes away aborts the request's signal. Also a handler of Express and its like, as
 * long as nothing has read the body.
 */
export function toNodeListener(handler: FetchHandler, options: NodeListenerOptions = {}): RequestListener {
  const patience: Patience = {
    readIdleTimeoutMs: options.readIdleTimeoutMs ?? 60_000,
    writeIdleTimeoutMs: options.writeIdleTimeoutMs ?? 120_000,
    lingerTimeoutMs: options.lingerTimeoutMs ?? 2000,
    maxLingerBytes: options.maxLingerBytes ?? 16 * 1024 * 1024,
  };
  return (message, reply) => {
    answer(handler, message, reply, patience).catch(() => reply.destroy());
  };
}

async function answer(
  handler: FetchHandler,
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
  const request = toRequest(message, gone.signal, patience.readIdleTimeoutMs);
  if (request === undefined) {
    reply.writeHead(405, { allow: "GET, HEAD, POST", "content-length": "0" }).end();
    return;
  }
  const peer = { address: message.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "") };
  const response = await handler(request, { peer, rawTarget: message.url });
  if (gone.signal.aborted) {
    await response.body?.cancel(gone.signal.reason);
    return;
  }
  for (const [name, value] of response.headers) reply.appendHeader(name, value);
  reply.writeHead(response.status);
  if (response.body === null) reply.end();
  else await send(response.body, reply, gone.signal, patience.writeIdleTimeoutMs);
}

/** @throws what broke the body: the caller cuts the connection, so that half an answer is not taken for a whole one */
async function send(
  body: ReadableStream<Uint8Array>,
  reply: ServerResponse,
  gone: AbortSignal,
  writeIdleMs: number,
): Promise<void> {
  const reader = body.getReader();
  let wake: (() => void) | undefined;
  reply.on("drain", () => wake?.());
  const onGone = () => {
    wake?.();
    reader.cancel(gone.reason).catch(() => {});
  };
  gone.addEventListener("abort", onGone, { once: true });
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (reply.write(value) || gone.aborted) continue;
    const timer = setTimeout(() => reply.destroy(), writeIdleMs);
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    wake = undefined;
    clearTimeout(timer);
  }
  reply.end();
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
