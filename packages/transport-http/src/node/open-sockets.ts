import type { Server, Socket } from "node:net";

/**
 * The sockets of a server, from the moment they are accepted. `node:http` counts those it speaks with, but waits at its
 * end for all: those in a TLS handshake too, and those that were turned away.
 */
export class OpenSockets {
  readonly #sockets: Set<Socket> = new Set();
  #isCutOff = false;

  constructor(server: Server) {
    server.prependListener("connection", (socket: Socket) => {
      if (this.#isCutOff) return void socket.destroy();
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** Ends all of them, and whichever comes late. */
  cutOff(): void {
    this.#isCutOff = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}
