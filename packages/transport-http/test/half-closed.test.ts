import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { makeCertificate } from "@tooling/test-kit";
import type { GitService } from "@x/server-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFetchHandler } from "../src/index.ts";
import { createNodeHttpServer } from "../src/node.ts";
import { bytes } from "./handler.ts";

const TLS = makeCertificate("half-closed");
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function start(service: GitService, scheme: "http" | "https" = "http"): Promise<number> {
  const handler = createFetchHandler({ service });
  const server = createNodeHttpServer({ handler, ...(scheme === "https" ? { tls: TLS } : {}) });
  const { port } = await server.listen();
  onTestFinished(() => server.close());
  return port;
}

/** Half-open, as `nc -N` is. */
async function open(port: number, scheme: "http" | "https" = "http"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  if (scheme === "http") return socket;
  const secure = connectTls({ socket, rejectUnauthorized: false, allowHalfOpen: true } as object);
  await new Promise((resolve) => secure.once("secureConnect", resolve));
  return secure;
}

async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

const get = "GET /a/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: h\r\n\r\n";
const post = (service: string) =>
  `POST /a/${service} HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-${service}-request\r\nContent-Length: 4\r\n\r\n0000`;

const slow: GitService = async function* (call) {
  for await (const _ of call.input);
  await sleep(600);
  call.signal.throwIfAborted();
  yield bytes("first");
  await sleep(300);
  yield bytes("last");
};

describe.each(["http", "https"] as const)("a client of %s that sends no more", (scheme) => {
  it.each([
    ["GET", get],
    ["a fetch", post("git-upload-pack")],
    ["a push", post("git-receive-pack")],
    ["two requests", get + post("git-upload-pack")],
  ])("gets the answer to %s", async (_, text) => {
    const socket = await open(await start(slow, scheme), scheme);
    socket.end(text);
    const answer = await readAll(socket);
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    const expected = text.startsWith(get) && text !== get ? ["200", "200"] : ["200"];
    expect(statuses.filter((status) => status !== "100")).toEqual(expected);
    expect(answer).toMatch(/first[\s\S]*last[\s\S]*\r\n0\r\n\r\n$/);
  });
});

describe("H9 a client that is gone, and only seemed to send no more, is noticed within a second", () => {
  it.each([
    ["before its answer begins", false],
    ["in the midst of it", true],
  ])("%s", async (_, hasBegun) => {
    let noticed = 0;
    let started = () => {};
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const port = await start(async function* (call) {
      for await (const _ of call.input);
      call.signal.addEventListener("abort", () => {
        noticed = performance.now();
      });
      if (hasBegun) yield bytes("first");
      started();
      // As the makers of packs do: a sign of life when it is in doubt whether anybody listens.
      while (!call.signal.aborted) {
        await sleep(100);
        if (hasBegun && call.mayBeGone?.() === true) yield bytes(".");
      }
    });
    const socket = await open(port);
    socket.write(post("git-upload-pack"));
    await running;
    await sleep(100);
    socket.resume();
    const left = performance.now();
    socket.destroy();
    while (noticed === 0 && performance.now() - left < 3000) await sleep(10);
    expect(noticed - left).toBeGreaterThan(0);
    expect(noticed - left).toBeLessThan(1000);
  });
});
