import type { Duplex } from "node:stream";
import { InputPace, LentBuffers } from "@x/server-core";
import { TransportTcpError } from "./errors.ts";

/** How long a socket may make us wait. Unit: milliseconds. */
export interface Patience {
  readIdleMs: number;
  writeIdleMs: number;
  /** In all, for input; what comes in adds to it. */
  slowGraceMs: number;
  minBytesPerSecond: number;
}

/**
 * A socket as chunks in and chunks out. Nothing is read that nobody asked for, and nothing is written before the
 * last chunk has left: a client's pace is the service's pace. The client may end its half and still read.
 */
export class SocketStream {
  readonly #socket: Duplex;
  readonly #patience: Patience;
  readonly #controller = new AbortController();
  readonly #lent = new LentBuffers();
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #pace: InputPace;
  #ended = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  constructor(socket: Duplex, patience: Patience) {
    this.#socket = socket;
    this.#patience = patience;
    this.#pace = new InputPace(patience);
    socket.on("readable", this.#onReadable);
    socket.on("end", () => {
      this.#ended = true;
      this.#onReadable();
    });
    socket.on("drain", () => this.#wakeWriter?.());
    // Without this listener a reset connection would end the process.
    socket.on("error", (cause) =>
      this.fail(new TransportTcpError("transport-tcp/gone", "the client went away", { cause })),
    );
    socket.on("close", () => this.fail(new TransportTcpError("transport-tcp/gone", "the client went away")));
  }

  /** Aborted, with an error as its reason, once the connection is of no use. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** For chunks that are written here. */
  get lend(): LentBuffers["lend"] {
    return this.#lent.lend;
  }

  get bytesIn(): number {
    return this.#bytesIn;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** The client sends no more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Ends every wait with `error`; the first one counts. The socket stays open for a last word. */
  fail(error: TransportTcpError): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(error);
    this.#wakeReader?.();
    this.#wakeWriter?.();
  }

  /** What the client sends, up to its end. @throws TransportTcpError the reason of {@link signal} */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      this.#controller.signal.throwIfAborted();
      const chunk: Buffer | null = this.#socket.read();
      if (chunk !== null) {
        this.#bytesIn += chunk.length;
        this.#pace.came(chunk.length);
        // A plain view: slice() on a Buffer does not copy, and callers count on a copy.
        yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      } else if (this.#ended) return;
      else await this.#waitForInput();
    }
  }

  /** Resolves when the next chunk is welcome. @throws TransportTcpError the reason of {@link signal} */
  async write(bytes: Uint8Array): Promise<void> {
    this.#controller.signal.throwIfAborted();
    this.#bytesOut += bytes.length;
    if (this.#socket.write(bytes, (error) => error ?? this.#lent.giveBack(bytes))) return;
    const { writeIdleMs } = this.#patience;
    await this.#wait(`the client did not read its answer for ${writeIdleMs} ms`, writeIdleMs, (wake) => {
      this.#wakeWriter = wake;
    });
    this.#wakeWriter = undefined;
    this.#controller.signal.throwIfAborted();
  }

  /**
   * Sends `last` and the end, then reads and forgets until the client has hung up too: closing while it still
   * sends would reset the connection, and it might lose what it has not read.
   */
  async finish(
    last: Uint8Array | undefined,
    limits: { readonly lingerTimeoutMs: number; readonly maxLingerBytes: number },
  ): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // A client that would not read its answer will not read what comes behind it.
    if (this.#controller.signal.aborted && socket.writableNeedDrain) return void socket.destroy();
    socket.off("readable", this.#onReadable);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    let left = limits.maxLingerBytes;
    socket.on("data", (chunk) => {
      left -= chunk.length;
      if (left < 0) socket.destroy();
    });
    if (last !== undefined) {
      this.#bytesOut += last.length;
      socket.write(last);
    }
    let timer = setTimeout(() => socket.destroy(), this.#patience.writeIdleMs);
    socket.end(() => {
      clearTimeout(timer);
      if (!socket.destroyed) timer = setTimeout(() => socket.destroy(), limits.lingerTimeoutMs);
    });
    socket.resume();
    await closed;
    clearTimeout(timer);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onReadable = (): void => {
    if (this.#wakeReader !== undefined) this.#wakeReader();
    // Nobody reads just now; but an end that comes behind nothing shows only to those who try.
    else if (this.#socket.readableLength === 0) this.#socket.read(0);
  };

  async #waitForInput(): Promise<void> {
    const { ms, why } = this.#pace.nextWait();
    const since = performance.now();
    await this.#wait(why, ms, (wake) => {
      this.#wakeReader = wake;
    });
    this.#wakeReader = undefined;
    this.#pace.waited(performance.now() - since);
  }

  async #wait(why: string, ms: number, arm: (wake: () => void) => void): Promise<void> {
    const tooLong = () => this.fail(new TransportTcpError("transport-tcp/timeout", why));
    const timer = setTimeout(tooLong, ms);
    await new Promise<void>(arm);
    clearTimeout(timer);
  }
}
