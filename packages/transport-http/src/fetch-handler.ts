import type { Peer } from "@x/server-core";
import { createAnswerRequest, type HttpHandlerOptions } from "./answer-request.ts";
import type { AnswerRequest, HttpAnswer } from "./http-message.ts";
import { refusalAnswer } from "./response.ts";

/** What {@link createFetchHandler} is told. */
export type FetchHandlerOptions = HttpHandlerOptions;

/** What an adapter knows beside the request. */
export interface FetchContext {
  readonly peer?: Peer | undefined;
  /**
   * The target of the request line as it came. Give it wherever it is known: `Request` has already resolved
   * `%2e%2e` and `\` in its URL, so that names which should be refused look harmless.
   */
  readonly rawTarget?: string | undefined;
}

/** Answers one request. Never rejects. Its `Response` has to be read to the end or cancelled. */
export interface FetchHandler {
  (request: Request, context?: FetchContext): Promise<Response>;
  /** The same without `Request` and `Response`, for platforms that have something of their own. */
  readonly answer: AnswerRequest;
}

/**
 * Serves `service` over HTTP, as git-http-backend does.
 * @throws TransportHttpError `transport-http/bad-option`
 * Spec: gitprotocol-http.
 */
export function createFetchHandler(options: FetchHandlerOptions): FetchHandler {
  const answer = createAnswerRequest(options);
  const handle = async (request: Request, context: FetchContext = {}): Promise<Response> => {
    if (request.bodyUsed) return toResponse(BODY_TAKEN);
    const { headers, method, signal, body } = request;
    return toResponse(
      await answer({
        method,
        target: context.rawTarget ?? targetOf(request.url),
        header: (name) => headers.get(name) ?? undefined,
        body: body === null ? undefined : chunksOf(body),
        signal,
        peer: context.peer ?? {},
        scheme: request.url.startsWith("https:") ? "https" : "http",
      }),
    );
  };
  return Object.assign(handle, { answer });
}

/** What whoever set the server up has to read. */
export const BODY_TAKEN: HttpAnswer = refusalAnswer(
  {
    status: 500,
    text: "transport-http/body-taken: a body parser has read the request; mount this handler in front of it, or have it leave the body as bytes",
  },
  false,
);

function toResponse({ status, headers, body }: HttpAnswer): Response {
  if (body === undefined) return new Response(null, { status, headers });
  if (body instanceof Uint8Array) return new Response(body as Uint8Array<ArrayBuffer>, { status, headers });
  return new Response(streamOf(body), { status, headers });
}

/** Asks for a chunk when its reader asks for one. */
function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value as Uint8Array<ArrayBuffer>);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Leaving it cancels the stream. */
function chunksOf(stream: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const reader = stream.getReader();
      return {
        async next() {
          const { done, value } = await reader.read();
          return done ? { done, value: undefined } : { done, value };
        },
        async return() {
          await reader.cancel();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function targetOf(url: string): string {
  const path = url.indexOf("/", url.indexOf("://") + 3);
  return path === -1 ? "/" : (url.slice(path).split("#", 1)[0] ?? "/");
}
