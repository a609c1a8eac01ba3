import { encodePackets } from "@x/pktline";
import { ServiceError } from "@x/server-core";
import { lateTextOf } from "./outcome.ts";

/** What {@link answerStream} is told. */
export interface AnswerOptions {
  /** Goes out first; joined with the first chunk. */
  readonly prefix: Uint8Array | undefined;
  readonly first: IteratorResult<Uint8Array>;
  readonly rest: AsyncIterator<Uint8Array>;
  /** The reader does not want the rest. */
  readonly onCancel: (reason: unknown) => void;
  /** Called once, at the end, whichever way it came. */
  readonly onEnd: (error?: unknown) => void;
  readonly onChunk: (bytes: number) => void;
  /** A fault that the service may have worded in its own way. */
  readonly faultOf: (error: unknown) => unknown;
}

/** A response body that asks the service for a chunk only when the reader asks for one. */
export function answerStream(options: AnswerOptions): ReadableStream<Uint8Array> {
  const { rest, onEnd, onChunk } = options;
  let first: Uint8Array | undefined = joined(
    options.prefix,
    options.first.done ? undefined : options.first.value,
  );
  let done = options.first.done === true;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let chunk = first;
        first = undefined;
        try {
          if (chunk === undefined && !done) {
            const result = await rest.next();
            if (result.done) done = true;
            else chunk = result.value;
          }
        } catch (error) {
          const fault = options.faultOf(error);
          onEnd(fault);
          if (error instanceof ServiceError && error.reported) return controller.close();
          const text = lateTextOf(fault);
          // Without a last word the stream is broken off: a client must not take it for whole.
          if (text === undefined) return controller.error(fault);
          controller.enqueue(encodePackets([new TextEncoder().encode(`ERR ${text.slice(0, 1000)}`)]));
          return controller.close();
        }
        if (chunk === undefined) {
          onEnd();
          return controller.close();
        }
        onChunk(chunk.length);
        controller.enqueue(chunk);
      },
      cancel(reason) {
        options.onCancel(reason);
        // Behind a chunk in the making this waits for it; nobody else has to.
        rest.return?.().then(undefined, () => {});
        onEnd(new ServiceError("server-core/aborted", "the client went away"));
      },
    },
    { highWaterMark: 0 },
  );
}

function joined(prefix: Uint8Array | undefined, chunk: Uint8Array | undefined): Uint8Array | undefined {
  if (prefix === undefined || chunk === undefined) return prefix ?? chunk;
  const bytes = new Uint8Array(prefix.length + chunk.length);
  bytes.set(prefix);
  bytes.set(chunk, prefix.length);
  return bytes;
}
