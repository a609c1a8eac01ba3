import type { IncomingMessage } from "node:http";
import { TransportHttpError } from "../errors.ts";

const METHODS_WITHOUT_BODY: ReadonlySet<string | undefined> = new Set(["GET", "HEAD"]);

/**
 * The message as a `Request`.
 * @param signal aborted when the client has gone
 * @returns `undefined` for what no `Request` can say, such as TRACE
 */
export function toRequest(
  message: IncomingMessage,
  signal: AbortSignal,
  idleMs: number,
): Request | undefined {
  const headers = new Headers();
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2)
    headers.append(message.rawHeaders[i] as string, message.rawHeaders[i + 1] as string);
  const init = { method: message.method ?? "GET", headers, signal };
  try {
    if (METHODS_WITHOUT_BODY.has(message.method)) return new Request(urlOf(message), init);
    return new Request(urlOf(message), {
      ...init,
      body: toBody(message, idleMs),
      duplex: "half",
    } as RequestInit);
  } catch {
    return undefined;
  }
}

/** Good enough to be an URL. The raw target goes to the handler beside it. */
function urlOf(message: IncomingMessage): string {
  const host = /^[\w.:[\]-]+$/.exec(message.headers.host ?? "")?.[0] ?? "localhost";
  const path = message.url?.startsWith("/") ? message.url : "/";
  return URL.canParse(`http://${host}${path}`) ? `http://${host}${path}` : "http://localhost/";
}

/** Reads when asked and not before. Cancelling stops reading and leaves the connection alone. */
function toBody(message: IncomingMessage, idleMs: number): ReadableStream<Uint8Array> {
  let wake: (() => void) | undefined;
  let listening = false;
  const onChange = () => wake?.();
  const listen = () => {
    if (listening) return;
    listening = true;
    for (const name of ["readable", "end", "close", "error"]) message.on(name, onChange);
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        listen();
        for (;;) {
          const chunk: Buffer | null = message.read();
          // A plain view: slice() on a Buffer does not copy, and callers count on a copy.
          if (chunk !== null)
            return controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
          if (message.readableEnded) return controller.close();
          if (message.destroyed) throw new TransportHttpError("transport-http/gone", "the client went away");
          let late = false;
          await new Promise<void>((resolve) => {
            const timer = setTimeout(() => {
              late = true;
              wake?.();
            }, idleMs);
            wake = () => {
              clearTimeout(timer);
              wake = undefined;
              resolve();
            };
          });
          if (late)
            throw new TransportHttpError("transport-http/timeout", `the body stood still for ${idleMs} ms`);
        }
      },
      cancel() {
        if (listening) for (const name of ["readable", "end", "close", "error"]) message.off(name, onChange);
        wake?.();
      },
    },
    { highWaterMark: 0 },
  );
}
