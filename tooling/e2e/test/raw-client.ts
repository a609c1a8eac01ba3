import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A connection that sends whatever it is told to, and keeps what comes back. */
export class RawClient {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<unknown>;

  /** @param base `git://HOST:PORT` or `http://HOST:PORT` */
  constructor(base: string) {
    const { hostname, port } = new URL(base.replace(/^git:/, "http:"));
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    // Resets are among the answers that are looked at.
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    this.#closed = Promise.race([once(this.socket, "end"), once(this.socket, "close")]).catch(() => {});
    try {
      onTestFinished(() => void this.socket.destroy());
    } catch {
      // Not within a test: whoever made it ends it.
    }
  }

  /** Latin1 text or bytes, as they are. */
  send(...parts: readonly (string | Uint8Array)[]): this {
    for (const part of parts)
      this.socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
    return this;
  }

  /** Says that nothing more will come. */
  finish(): this {
    this.socket.end();
    return this;
  }

  /** Whether more has come than so many bytes. */
  hasMoreThan(bytes: number): boolean {
    let sum = 0;
    for (const { length } of this.#chunks) sum += length;
    return sum > bytes;
  }

  get received(): string {
    return Buffer.concat(this.#chunks).toString("latin1");
  }

  /** Waits until `what` has come. @throws Error when the server ends the connection before */
  async until(what: RegExp): Promise<string> {
    while (!what.test(this.received)) {
      const ended = await Promise.race([
        once(this.socket, "data").then(() => false),
        this.#closed.then(() => true),
      ]);
      if (ended && !what.test(this.received)) throw new Error(`ended after ${JSON.stringify(this.received)}`);
    }
    return this.received;
  }

  /** Everything, once the server has ended the connection. */
  async answer(): Promise<string> {
    await this.#closed;
    this.socket.destroy();
    return this.received;
  }
}

/** A pkt-line. */
export function packet(text: string): string {
  return (text.length + 4).toString(16).padStart(4, "0") + text;
}

/** The first packet of a git:// connection. */
export function request(service: string, path: string, version = 0): string {
  return packet(`${service} ${path}\0host=localhost\0${version > 0 ? `\0version=${version}\0` : ""}`);
}

/** One HTTP/1.1 request that asks for the connection's end. */
export function httpRequest(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = "",
): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : Buffer.from(body);
  const all = { Host: "localhost", Connection: "close", "Content-Length": String(bytes.length), ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${head.join("")}\r\n`, "latin1"),
    bytes,
  ]);
}

/** An HTTP answer's status and body; a chunked body put together. */
export function parseAnswer(answer: string): {
  readonly status: number;
  readonly head: string;
  readonly body: string;
} {
  const end = answer.indexOf("\r\n\r\n");
  const head = end < 0 ? answer : answer.slice(0, end);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
  let rest = end < 0 ? "" : answer.slice(end + 4);
  if (!/^transfer-encoding: chunked$/im.test(head)) return { status, head, body: rest };
  let body = "";
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/i.exec(rest);
    const length = size === null ? 0 : Number(`0x${size[1]}`);
    if (size === null || length === 0) return { status, head, body };
    body += rest.slice(size[0].length, size[0].length + length);
    rest = rest.slice(size[0].length + length + 2);
  }
}
