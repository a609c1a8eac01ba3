import type { Socket } from "node:net";
import { InputPace, type InputPatience } from "@x/server-core";
import type { ServerChannel } from "ssh2";
import { TransportSshError } from "./errors.ts";

/** What {@link ChannelStream} goes by. */
export interface ChannelPatience extends InputPatience {
  readonly writeIdleMs: number;
  /** What may lie in the socket behind the channel. Unit: bytes. */
  readonly maxQueuedBytes: number;
}

/** What the user is told beside the protocol may wait so long to be sent; more of it is dropped. Unit: bytes. */
const MAX_ASIDE_BYTES = 64 * 1024;
/** How often to look whether keys have been exchanged. Unit: milliseconds. */
const REKEY_POLL_MS = 20;

/**
 * A channel as chunks in and chunks out. Nothing is read that nobody asked for, and nothing is written before the last
 * chunk has left: not only the window counts, which the client can open as wide as it likes, but also what lies in the
 * socket, and what waits for an exchange of keys.
 */
export class ChannelStream {
  readonly #channel: ServerChannel;
  readonly #socket: Socket;
  readonly #patience: ChannelPatience;
  readonly #controller = new AbortController();
  readonly #pace: InputPace;
  #bytesIn = 0;
  #bytesOut = 0;
  #ended = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(channel: ServerChannel, socket: Socket, patience: ChannelPatience) {
    this.#channel = channel;
    this.#socket = socket;
    this.#patience = patience;
    this.#pace = new InputPace(patience);
    channel.on("readable", () => this.#wakeReader?.());
    channel.on("end", () => {
      this.#ended = true;
      this.#wakeReader?.();
    });
    channel.on("error", (cause) => this.fail(gone(cause)));
    channel.stderr.on("error", () => {});
    socket.on("drain", this.#onDrain);
    this.signal.addEventListener("abort", () => socket.off("drain", this.#onDrain), { once: true });
  }

  /** Aborted, with an error as its reason, once the channel is of no use. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get bytesIn(): number {
    return this.#bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** What has come and was not asked for yet. Unit: bytes. */
  get unread(): number {
    return this.#channel.readableLength;
  }

  /** Ends every wait with `error`; the first one counts. */
  fail(error: TransportSshError): void {
    if (this.signal.aborted) return;
    this.#controller.abort(error);
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  /** What the client sends, up to its end. @throws TransportSshError the reason of {@link signal} */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      this.signal.throwIfAborted();
      const chunk: Buffer | null = this.#channel.read();
      if (chunk !== null) {
        this.#bytesIn += chunk.length;
        this.#pace.came(chunk.length);
        // A plain view: slice() on a Buffer does not copy, and callers count on a copy.
        yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      } else if (this.#ended) return;
      else {
        const { ms, why } = this.#pace.nextWait();
        const since = performance.now();
        await this.#wait(why, ms, (wake) => {
          this.#wakeReader = wake;
        });
        this.#wakeReader = undefined;
        this.#pace.waited(performance.now() - since);
      }
    }
  }

  /** Resolves when the next chunk is welcome. @throws TransportSshError the reason of {@link signal} */
  async write(bytes: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    this.#bytesOut += bytes.length;
    const before = this.#socket.bytesWritten;
    let taken = false;
    this.#channel.write(bytes, () => {
      taken = true;
      this.#wakeWriter?.();
    });
    await this.#waitUntil(
      () =>
        taken &&
        this.#socket.bytesWritten - before >= bytes.length &&
        this.#socket.writableLength <= this.#patience.maxQueuedBytes,
    );
    this.signal.throwIfAborted();
  }

  /** Says something on standard error, unless too much waits there already. Never waits itself. */
  aside(text: Uint8Array): void {
    const { stderr } = this.#channel;
    if (this.signal.aborted || stderr.writableLength + text.length > MAX_ASIDE_BYTES) return;
    stderr.write(text);
  }

  /** The last words and the exit status. */
  finish(status: number, words: string): void {
    this.#socket.off("drain", this.#onDrain);
    if (words !== "") this.#channel.stderr.write(words);
    this.#channel.exit(status);
    this.#channel.end();
    // What comes late is forgotten, so that the client hears the end.
    this.#channel.resume();
  }

  readonly #onDrain = (): void => this.#wakeWriter?.();

  async #waitUntil(isOut: () => boolean): Promise<void> {
    if (isOut()) return;
    // While keys are exchanged, packets pile up in front of the socket, and nothing tells when they are gone.
    const poll = setInterval(() => this.#wakeWriter?.(), REKEY_POLL_MS);
    const { writeIdleMs } = this.#patience;
    await this.#wait(`the client did not read its answer for ${writeIdleMs} ms`, writeIdleMs, (wake) => {
      this.#wakeWriter = () => {
        if (isOut() || this.signal.aborted) wake();
      };
    });
    this.#wakeWriter = undefined;
    clearInterval(poll);
  }

  async #wait(why: string, ms: number, arm: (wake: () => void) => void): Promise<void> {
    const tooLong = () => this.fail(new TransportSshError("transport-ssh/timeout", why));
    const timer = setTimeout(tooLong, ms);
    await new Promise<void>(arm);
    clearTimeout(timer);
  }
}

function gone(cause?: unknown): TransportSshError {
  return new TransportSshError("transport-ssh/gone", "the client went away", { cause });
}
