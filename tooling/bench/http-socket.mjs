// The least of HTTP on a bare socket: as quick as reading git://, so that a comparison of the two shows the server.
import { EventEmitter } from "node:events";
import { connect } from "node:net";
import { clientOf, Packets } from "./packets.mjs";

/** Gives a chunked body's data as `data` events. */
class Body extends EventEmitter {
  #head = "";
  #inHead = true;
  #left = 0;
  #frame = "";

  feed(bytes) {
    let at = 0;
    while (at < bytes.length) {
      if (this.#inHead) {
        this.#head += bytes.toString("latin1", at, at + 1);
        at++;
        if (this.#head.endsWith("\r\n\r\n")) this.#begin();
      } else if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left);
        this.emit("data", bytes.subarray(at, end));
        this.#left -= end - at;
        at = end;
      } else {
        this.#frame += bytes.toString("latin1", at, at + 1);
        at++;
        const size = /^(?:\r\n)?([0-9a-f]+)\r\n$/i.exec(this.#frame)?.[1];
        if (size === undefined) continue;
        this.#frame = "";
        this.#left = Number.parseInt(size, 16);
      }
    }
  }

  #begin() {
    if (!/^HTTP\/1\.1 200 /.test(this.#head) || !/\r\ntransfer-encoding: chunked\r\n/i.test(this.#head))
      throw new Error(`not an answer in chunks: ${this.#head}`);
    this.#inHead = false;
  }
}

/** Like a connection of git://, each request on a socket of its own. */
export async function openHttpSocket(port, repository) {
  const sockets = [];
  const ask = (head, body = "") => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    sockets.push(socket);
    const answer = new Body();
    socket.on("data", (bytes) => answer.feed(bytes));
    for (const name of ["error", "close"]) socket.on(name, (error) => answer.emit(name, error || undefined));
    const lines = [`${head} HTTP/1.1`, "Host: localhost", "Git-Protocol: version=2"];
    if (body !== "") {
      lines.push("Content-Type: application/x-git-upload-pack-request");
      lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
    }
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    return new Packets(answer);
  };
  const capabilities = await ask(`GET /${repository}/info/refs?service=git-upload-pack`).section();
  return clientOf(
    capabilities,
    (text) => ask(`POST /${repository}/git-upload-pack`, text),
    () => {
      for (const socket of sockets) socket.destroy();
    },
  );
}
