import { connect, type Socket } from "node:net";
import { encodePackets } from "@x/pktline";
import type { GitService, Logger } from "@x/server-core";
import { onTestFinished } from "vitest";
import {
  createTcpGitServer,
  type TcpGitServer,
  type TcpGitServerOptions,
  type TcpLimits,
} from "../src/index.ts";

/** A server for one test, and what it logs of how requests and connections end. */
export async function start(
  service: GitService,
  limits: Partial<TcpLimits> = {},
  options: Partial<TcpGitServerOptions> = {},
): Promise<{ port: number; server: TcpGitServer; lines: Record<string, unknown>[] }> {
  const lines: Record<string, unknown>[] = [];
  const keep = (fields: object, message: string) => {
    if (message !== "opened" && message !== "asked") lines.push(fields as Record<string, unknown>);
  };
  const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };
  const server = createTcpGitServer({
    service,
    port: 0,
    logger,
    ...options,
    limits: { lingerTimeoutMs: 300, ...limits },
  });
  const { port } = await server.listen();
  onTestFinished(() => server.close());
  return { port, server, lines };
}

/** A raw client: what came back, and how the connection ended. */
export class Client {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  error: NodeJS.ErrnoException | undefined;
  #received = "";

  constructor(
    port: number,
    options: { readonly reading?: boolean; readonly host?: string; readonly from?: string } = {},
  ) {
    const { host = "127.0.0.1", from: localAddress } = options;
    this.socket = connect({ port, host, localAddress, allowHalfOpen: true });
    this.socket.on("error", (error) => {
      this.error = error;
    });
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve()));
    if (options.reading !== false) {
      this.socket.on("data", (chunk) => {
        this.#received += chunk.toString("latin1");
      });
      this.socket.once("end", () => this.socket.end());
    }
    onTestFinished(() => void this.socket.destroy());
  }

  get text(): string {
    return this.#received;
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** Everything up to the server's end. */
  async answer(): Promise<string> {
    await this.closed;
    return this.#received;
  }
}

/** The packet that opens a connection. */
export function request(
  path = "/demo.git",
  service = "git-upload-pack",
  tail = "host=h\0\0version=2\0",
): Uint8Array {
  return encodePackets([new TextEncoder().encode(`${service} ${path}\0${tail}`)]);
}

/** Resolves when `condition` holds. @throws Error after `ms` */
export async function until(condition: () => boolean, ms = 3000): Promise<void> {
  for (const end = performance.now() + ms; !condition(); ) {
    if (performance.now() > end) throw new Error("waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers that look random and are the same every time. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}
