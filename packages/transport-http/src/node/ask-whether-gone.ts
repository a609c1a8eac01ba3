import type { IncomingMessage, ServerResponse } from "node:http";

/** The first byte to a client that has gone brings back a reset, and the second shows it. Unit: milliseconds. */
const PROBE_MS = 300;

/**
 * A client that has ended its half of the connection waits for its answer, or is gone; only a byte that is sent to it can
 * show which. Until the answer begins that is `100 Continue`, which means nothing behind a whole request.
 * Spec: RFC 9110 section 15.2: clients skip what they did not ask for.
 */
export function askWhetherGone(message: IncomingMessage, reply: ServerResponse): void {
  const { socket } = message;
  let timer: NodeJS.Timeout | undefined;
  const ask = () => {
    if (reply.headersSent) clearInterval(timer);
    // Behind the answer to an earlier request it would wait, and show nothing.
    else if (reply.socket !== null) reply.writeContinue();
  };
  const start = () => {
    if (message.httpVersion === "1.1" && !reply.headersSent) timer = setInterval(ask, PROBE_MS);
  };
  if (socket.readableEnded) start();
  else socket.once("end", start);
  reply.once("close", () => {
    clearInterval(timer);
    socket.off("end", start);
  });
}
