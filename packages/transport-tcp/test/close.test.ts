import { connect, type Socket } from "node:net";
import type { GitService } from "@x/server-core";
import { expect, it } from "vitest";
import { createTcpGitServer, formatRequestLine } from "../src/index.ts";

const GRACE_MS = 30;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Answers that end at once, soon, never, or never cease. */
const service: GitService = async function* (call) {
  if (/deaf/.test(call.repository)) return void (await new Promise<void>(() => {}));
  if (/never/.test(call.repository))
    return void (await new Promise<void>((resolve) =>
      call.signal.addEventListener("abort", () => resolve()),
    ));
  if (/endless/.test(call.repository)) for (;;) yield new Uint8Array(65_536);
  if (/late/.test(call.repository)) await sleep(20);
  yield new Uint8Array(10);
  for await (const chunk of call.input) yield chunk;
};

const ask = (name: string) =>
  formatRequestLine({ service: "git-upload-pack", path: `/${name}`, parameters: [] });
const REQUESTS = [
  new Uint8Array(0),
  ask("a").subarray(0, 9),
  ask("a"),
  ask("late"),
  ask("never"),
  ask("endless"),
  new TextEncoder().encode("nonsense"),
];

it("a server ends in time, whatever its connections are doing", async () => {
  let slowest = 0;
  for (let round = 0; round < 15; round++) {
    const limits = { maxConnections: 20, maxConnectionsPerAddress: 20 };
    const server = createTcpGitServer({ service, port: 0, limits });
    const { port } = await server.listen();
    const sockets = Array.from({ length: 30 }, (_, n): Socket => {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      socket.on("error", () => {});
      if (n % 2 === 0) socket.resume();
      const request = n === 0 && round % 5 === 0 ? ask("deaf") : REQUESTS[(n + round) % REQUESTS.length];
      socket.write(request as Uint8Array);
      if (n % 3 === 0) socket.end();
      return socket;
    });
    await sleep((round * 7) % 40);
    const started = performance.now();
    await Promise.race([
      server.close({ graceMs: GRACE_MS }),
      sleep(5000).then(() => Promise.reject(new Error(`round ${round} does not end`))),
    ]);
    slowest = Math.max(slowest, performance.now() - started);
    for (const socket of sockets) socket.destroy();
  }
  expect(slowest).toBeLessThan(GRACE_MS + 2000);
}, 60_000);
