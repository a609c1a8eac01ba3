import type { GitService, Logger } from "@x/server-core";
import { createFetchHandler, type FetchHandler, type FetchHandlerOptions } from "../src/index.ts";

/** A handler for one test, and what it logs. */
export function handlerOf(
  service: GitService,
  options: Partial<FetchHandlerOptions> = {},
): { handler: FetchHandler; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const keep = (fields: object) => void lines.push(fields as Record<string, unknown>);
  const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
  return { handler: createFetchHandler({ service, logger, ...options }), lines };
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

export function discovery(service = "git-upload-pack", version?: string, method = "GET"): Request {
  const headers: Record<string, string> = version === undefined ? {} : { "git-protocol": version };
  return new Request(`http://host/demo.git/info/refs?service=${service}`, { headers, method });
}

/** What a test sends. */
export type Body = string | Uint8Array<ArrayBuffer> | ReadableStream | null;

export function post(
  body: Body,
  options: {
    readonly service?: string;
    readonly headers?: Record<string, string>;
    readonly signal?: AbortSignal;
  } = {},
): Request {
  const service = options.service ?? "git-upload-pack";
  return new Request(`http://host/demo.git/${service}`, {
    method: "POST",
    body,
    headers: { "content-type": `application/x-${service}-request`, ...options.headers },
    ...(options.signal ? { signal: options.signal } : {}),
    duplex: "half",
  } as RequestInit);
}

/** Gives back what it reads. */
export const echo: GitService = (call) => call.input;

/** Reads everything, then says how much it was. */
export const measure: GitService = async function* (call) {
  let length = 0;
  for await (const chunk of call.input) length += chunk.length;
  yield bytes(String(length));
};

/** A stream of these pieces, each given when asked for. */
export function pieces(parts: Iterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = parts[Symbol.iterator]();
  return new ReadableStream(
    {
      pull(controller) {
        const next = iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value as Uint8Array<ArrayBuffer>);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Numbers that look random and are the same every time. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}
