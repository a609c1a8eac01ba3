import type { IncomingMessage } from "node:http";
import { TransportHttpError } from "../errors.ts";

/** How long a body may take, counted while it is waited for. */
export interface BodyPace {
  /** It may stand still that long. Unit: milliseconds. */
  readonly readIdleTimeoutMs: number;
  /** It has to bring so much, on average over {@link rateWindowMs}. Unit: bytes per second. */
  readonly minBodyRate: number;
  /** Unit: milliseconds. */
  readonly rateWindowMs: number;
}

const EVENTS = ["readable", "end", "close", "error"] as const;

/** Reads when asked and not before. Leaving it stops the reading and leaves the connection alone. */
export function bodyOf(message: IncomingMessage, pace: BodyPace): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => new MessageBody(message, pace) };
}

/** One consumer. */
class MessageBody implements AsyncIterator<Uint8Array, undefined> {
  readonly #message: IncomingMessage;
  readonly #pace: BodyPace;
  #isListening = false;
  #hasLeft = false;
  #wake: (() => void) | undefined;
  /** What came, and how long it was waited for, since this window began. */
  #windowBytes = 0;
  #windowMs = 0;

  constructor(message: IncomingMessage, pace: BodyPace) {
    this.#message = message;
    this.#pace = pace;
  }

  /** @throws TransportHttpError gone, timeout */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const message = this.#message;
    this.#listen();
    for (;;) {
      if (this.#hasLeft) return { done: true, value: undefined };
      const chunk: Buffer | null = message.read();
      if (chunk !== null) {
        this.#windowBytes += chunk.length;
        // A plain view: slice() on a Buffer does not copy, and callers count on a copy.
        return { done: false, value: new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length) };
      }
      if (message.readableEnded) return { done: true, value: undefined };
      if (message.destroyed) throw new TransportHttpError("transport-http/gone", "the client went away");
      await this.#wait();
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#hasLeft = true;
    if (this.#isListening) for (const name of EVENTS) this.#message.off(name, this.#onChange);
    this.#wake?.();
    return { done: true, value: undefined };
  }

  readonly #onChange = (): void => this.#wake?.();

  #listen(): void {
    if (this.#isListening || this.#hasLeft) return;
    this.#isListening = true;
    for (const name of EVENTS) this.#message.on(name, this.#onChange);
  }

  async #wait(): Promise<void> {
    const { readIdleTimeoutMs, minBodyRate, rateWindowMs } = this.#pace;
    const started = performance.now();
    const late = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), readIdleTimeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(false);
      };
    });
    if (late) throw timeout(`the body stood still for ${readIdleTimeoutMs} ms`);
    this.#windowMs += performance.now() - started;
    if (this.#windowMs < rateWindowMs) return;
    if (this.#windowBytes * 1000 < minBodyRate * this.#windowMs)
      throw timeout(`the body came at less than ${minBodyRate} bytes per second`);
    this.#windowBytes = 0;
    this.#windowMs = 0;
  }
}

function timeout(message: string): TransportHttpError {
  return new TransportHttpError("transport-http/timeout", message);
}

/**
 * What a body parser in front has made of the body: its bytes, or `taken` when they are lost.
 * @returns `undefined` when nobody has touched it
 */
export function parsedBody(message: IncomingMessage): Uint8Array | "taken" | undefined {
  const { body } = message as { readonly body?: unknown };
  if (body instanceof Uint8Array) return new Uint8Array(body.buffer, body.byteOffset, body.length);
  return message.readableDidRead || message.readableEnded ? "taken" : undefined;
}

/** A parser may have inflated what the headers still call gzip; no Git request begins as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
