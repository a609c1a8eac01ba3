// The least of HTTP on a bare socket: as quick as reading git://, so that a comparison of the two shows the server.
import { EventEmitter } from "node:events";
import { connect } from "node:net";
import { clientOf, Packets } from "./packets.mjs";

const LINE_FEED = 10;

/** Gives a chunked body's data as `data` events. */
class Body extends EventEmitter {
  /** `head`, then in turns `size`, `data` and `break`; `last` and `over` at the end. */
  #expects = "head";
  #head = "";
  /** Of the chunk. */
  #left = 0;

  feed(bytes) {
    for (let at = 0; at < bytes.length; ) {
      if (this.#expects === "data") {
        const end = Math.min(bytes.length, at + this.#left);
        this.emit("data", bytes.subarray(at, end));
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#expects = "break";
      } else if (this.#expects === "head") {
        this.#head += bytes.toString("latin1", at, at + 1);
        at++;
        if (this.#head.endsWith("\r\n\r\n")) this.#begin();
      } else if (this.#expects === "over") throw new Error("more than an answer");
      else this.#step(bytes[at++]);
    }
  }

  #begin() {
    if (!/^HTTP\/1\.1 200 /.test(this.#head) || !/\r\ntransfer-encoding: chunked\r\n/i.test(this.#head))
      throw new Error(`not an answer in chunks: ${this.#head}`);
    this.#expects = "size";
  }

  #finish() {
    this.#expects = "over";
    this.emit("over");
  }

  #step(byte) {
    if (byte === LINE_FEED) {
      if (this.#expects === "last") this.#finish();
      else if (this.#expects === "break") this.#expects = "size";
      else this.#expects = this.#left === 0 ? "last" : "data";
    } else if (this.#expects === "size" && byte > 32) {
      const digit = byte <= 57 ? byte - 48 : (byte | 32) - 87;
      this.#left = this.#left * 16 + digit;
    }
  }
}

/** Like git's own client, all requests on one connection. */
export async function openHttpSocket(port, repository) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let answer;
  let isOver = Promise.resolve();
  socket.on("data", (bytes) => answer.feed(bytes));
  for (const name of ["error", "close"]) socket.on(name, (error) => answer?.emit(name, error || undefined));
  const ask = async (head, body = "") => {
    await isOver;
    answer = new Body();
    isOver = new Promise((resolve) => answer.once("over", resolve));
    const lines = [`${head} HTTP/1.1`, "Host: localhost", "Git-Protocol: version=2"];
    if (body !== "") {
      lines.push("Content-Type: application/x-git-upload-pack-request");
      lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
    }
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    return new Packets(answer);
  };
  const announcement = await ask(`GET /${repository}/info/refs?service=git-upload-pack`);
  return clientOf(
    await announcement.section(),
    (text) => ask(`POST /${repository}/git-upload-pack`, text),
    () => socket.destroy(),
  );
}
