import type { Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { Socket } from "node:net";

/** How many connections there may be. */
export interface ConnectionLimits {
  /** All of them together. */
  readonly maxConnections: number;
  /** Those of one address. */
  readonly maxConnectionsPerAddress: number;
}

/** A client that was turned away gets so long to read it. Unit: milliseconds. */
const FAREWELL_MS = 1000;

const TEXT = "Too many connections\n";

const REFUSAL: string = [
  "HTTP/1.1 503 Service Unavailable",
  "Retry-After: 5",
  "Connection: close",
  "Content-Type: text/plain; charset=utf-8",
  `Content-Length: ${TEXT.length}`,
  "",
  TEXT,
].join("\r\n");

/**
 * Turns away, with 503, whoever comes when the server is full, or has too many connections already. Connections that wait
 * for their next request make room for new ones.
 * @param event `connection`, or `secureConnection` for TLS
 */
export function guardConnections(
  server: Server | TlsServer,
  event: "connection" | "secureConnection",
  limits: ConnectionLimits,
  onRefused: (address: string | undefined, reason: "full" | "address") => void,
): void {
  const attach = server.listeners(event) as ((socket: Socket) => void)[];
  const byAddress = new Map<string, number>();
  let open = 0;
  const refusalFor = (address: string) => {
    if (open >= limits.maxConnections) return "full";
    return (byAddress.get(address) ?? 0) >= limits.maxConnectionsPerAddress ? "address" : undefined;
  };
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const reason = refusalFor(address);
    if (reason !== undefined) {
      // Those it closes are gone from our count a moment later.
      server.closeIdleConnections();
      onRefused(socket.remoteAddress, reason);
      return turnAway(socket);
    }
    open++;
    byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    socket.once("close", () => {
      open--;
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left > 0) byAddress.set(address, left);
      else byAddress.delete(address);
    });
    for (const listener of attach) listener.call(server, socket);
  });
}

function turnAway(socket: Socket): void {
  socket.on("error", () => {});
  socket.end(REFUSAL);
  // What it has sent is read: closing on unread bytes would reset the connection, and it might lose the answer.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.once("end", () => socket.destroy());
}
