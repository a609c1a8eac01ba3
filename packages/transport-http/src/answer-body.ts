import { encodePackets } from "@x/pktline";
import { ServiceError } from "@x/server-core";
import { lateTextOf } from "./outcome.ts";

/** What {@link answerBody} is told. */
export interface AnswerBodyOptions {
  /** Goes out first; joined with the first chunk. */
  readonly prefix: Uint8Array | undefined;
  readonly first: IteratorResult<Uint8Array>;
  readonly rest: AsyncIterator<Uint8Array>;
  /** The reader does not want the rest. */
  readonly onLeave: () => void;
  /** Called once, at the end, whichever way it came. */
  readonly onEnd: (error?: unknown) => void;
  readonly onChunk: (bytes: number) => void;
  /** A fault that the service may have worded in its own way. */
  readonly faultOf: (error: unknown) => unknown;
}

type Step = IteratorResult<Uint8Array, undefined>;

const DONE: Step = { done: true, value: undefined };

/** A body that asks the service for a chunk only when its reader asks for one. */
export function answerBody(options: AnswerBodyOptions): AsyncIterable<Uint8Array> {
  const { rest, onEnd } = options;
  let first = joined(options.prefix, options.first.done ? undefined : options.first.value);
  let over = options.first.done === true;

  const step = (chunk: Uint8Array | undefined): Step => {
    if (chunk === undefined) {
      onEnd();
      return DONE;
    }
    options.onChunk(chunk.length);
    return { done: false, value: chunk };
  };

  const fail = (error: unknown): Step => {
    over = true;
    const fault = options.faultOf(error);
    onEnd(fault);
    if (error instanceof ServiceError && error.reported) return DONE;
    const text = lateTextOf(fault);
    // Without a last word the stream is broken off: a client must not take it for whole.
    if (text === undefined) throw fault;
    return { done: false, value: encodePackets([new TextEncoder().encode(`ERR ${text.slice(0, 1000)}`)]) };
  };

  const iterator: AsyncIterator<Uint8Array, undefined> = {
    async next() {
      const chunk = first;
      first = undefined;
      if (chunk !== undefined || over) return step(chunk);
      try {
        const result = await rest.next();
        over = result.done === true;
        return step(result.done ? undefined : result.value);
      } catch (error) {
        return fail(error);
      }
    },
    async return() {
      over = true;
      first = undefined;
      options.onLeave();
      // Behind a chunk in the making this waits for it; nobody else has to.
      rest.return?.().then(undefined, () => {});
      onEnd(new ServiceError("server-core/aborted", "the client went away"));
      return DONE;
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

function joined(prefix: Uint8Array | undefined, chunk: Uint8Array | undefined): Uint8Array | undefined {
  if (prefix === undefined || chunk === undefined) return prefix ?? chunk;
  const bytes = new Uint8Array(prefix.length + chunk.length);
  bytes.set(prefix);
  bytes.set(chunk, prefix.length);
  return bytes;
}
