import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { makeCertificate } from "@tooling/test-kit";
import type { GitService } from "@x/server-core";
import { expect, it } from "vitest";
import { createFetchHandler } from "../src/index.ts";
import { createNodeHttpServer } from "../src/node.ts";
import { randomNumbers } from "./handler.ts";

const TLS = makeCertificate("close");
const GRACE_MS = 30;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Answers that end at once, soon, never, or never cease. */
const service: GitService = async function* (call) {
  if (call.mode === "rpc" && /never/.test(call.repository))
    return void (await new Promise<void>((resolve) =>
      call.signal.addEventListener("abort", () => resolve()),
    ));
  if (/endless/.test(call.repository)) for (;;) yield new Uint8Array(65_536);
  if (/late/.test(call.repository)) await sleep(20);
  yield new Uint8Array(10);
  for await (const chunk of call.input) yield chunk;
};

const get = (name: string) => `GET /${name}/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: h\r\n\r\n`;
const post = (name: string, length: number) =>
  `POST /${name}/git-upload-pack HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-git-upload-pack-request\r\nContent-Length: ${length}\r\n\r\n`;
const REQUESTS = [
  "",
  "GET /a HT",
  get("a"),
  get("late"),
  get("late") + get("a") + get("a"),
  get("endless"),
  `${post("a", 4)}0000`,
  `${post("never", 4)}0000`,
  `${post("a", 4000)}0000`,
  `${post("late", 4)}0000${get("a").slice(0, 9)}`,
  "nonsense\r\n\r\n",
];

it.each(["http", "https"] as const)(
  "a server of %s ends in time, whatever its connections are doing",
  async (scheme) => {
    const random = randomNumbers(5);
    let slowest = 0;
    for (let round = 0; round < 100; round++) {
      const handler = createFetchHandler({ service });
      const server = createNodeHttpServer({
        handler,
        limits: { maxConnections: 20, maxConnectionsPerAddress: 20 },
        ...(scheme === "https" ? { tls: TLS } : {}),
      });
      const { port } = await server.listen();
      const sockets = Array.from({ length: 24 }, (): Socket => {
        const plain = connectPlain({ port, host: "127.0.0.1", allowHalfOpen: true });
        plain.on("error", () => {});
        // Some never begin, or end, their TLS handshake.
        const isBare = scheme === "http" || random(4) === 0;
        const options = { socket: plain, rejectUnauthorized: false, allowHalfOpen: true };
        const socket = isBare ? plain : connectTls(options as object);
        socket.on("error", () => {});
        if (random(2) === 0) socket.resume();
        const request = REQUESTS[random(REQUESTS.length)] as string;
        const ends = random(3) === 0;
        socket.write(request);
        if (ends) socket.end();
        return plain;
      });
      await sleep(random(40));
      const started = performance.now();
      await Promise.race([
        server.close({ graceMs: GRACE_MS }),
        sleep(5000).then(() => Promise.reject(new Error(`round ${round} does not end`))),
      ]);
      slowest = Math.max(slowest, performance.now() - started);
      for (const socket of sockets) socket.destroy();
    }
    expect(slowest).toBeLessThan(GRACE_MS + 2000);
  },
  120_000,
);
