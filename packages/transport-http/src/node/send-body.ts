import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { LentBuffers } from "@x/server-core";

/** What a client has not read yet waits here up to this, so that the system gets much at once. Unit: bytes. */
const MAX_QUEUED = 256 * 1024;

/** How a body is sent. */
export interface SendBodyOptions {
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal;
  /** A client that leaves what waits for it unread that long is cut off. Unit: milliseconds. */
  readonly writeIdleMs: number;
  /** Chunks go back there when they have left. */
  readonly lent: LentBuffers;
}

/**
 * Sends a body as fast as it is read.
 * @throws what broke the body: the caller cuts the connection, so that half an answer is not taken for a whole one
 */
export async function sendBody(
  body: AsyncIterable<Uint8Array>,
  reply: ServerResponse,
  { gone, writeIdleMs, lent }: SendBodyOptions,
): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  const turn = new Turn(reply);
  let wake: (() => void) | undefined;
  reply.on("drain", () => wake?.());
  const onGone = () => {
    wake?.();
    chunks.return?.().catch(() => {});
  };
  gone.addEventListener("abort", onGone, { once: true });
  for (;;) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    const spent = (error: unknown) => error ?? lent.giveBack(value);
    turn.gather();
    if (reply.write(value, spent) || reply.writableLength < MAX_QUEUED || gone.aborted) continue;
    const timer = setTimeout(() => reply.destroy(), writeIdleMs);
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    wake = undefined;
    clearTimeout(timer);
  }
  turn.end();
  reply.end();
}

/**
 * What is written in one turn of the event loop leaves in one call of the system: that is what costs most of sending. It
 * is the socket that is corked: a corked response of Node 22 says nothing when there is room again.
 */
class Turn {
  readonly #reply: ServerResponse;
  #gathering: Socket | undefined;

  constructor(reply: ServerResponse) {
    this.#reply = reply;
  }

  gather(): void {
    const { socket } = this.#reply;
    if (this.#gathering !== undefined || socket === null) return;
    this.#gathering = socket;
    socket.cork();
    setImmediate(() => this.end());
  }

  /** Lets go of what has gathered; at the end of an answer nobody else would, before the end. */
  end(): void {
    const socket = this.#gathering;
    this.#gathering = undefined;
    if (socket?.destroyed === false) socket.uncork();
  }
}
