import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createFetchHandler } from "../src/index.ts";
import { toNodeListener } from "../src/node.ts";
import { bytes } from "./handler.ts";

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

it("hands the system at once what is made in one turn of the event loop, and waits for no other turn", async () => {
  const handler = createFetchHandler({
    service: async function* () {
      for (const letter of "abc") {
        yield bytes(letter);
        await new Promise<void>((resolve) => process.nextTick(resolve));
      }
      await sleep(100);
      for (const letter of "de") {
        yield bytes(letter);
        await new Promise<void>((resolve) => process.nextTick(resolve));
      }
    },
  });
  const server = createServer(toNodeListener(handler));
  onTestFinished(() => void server.close());
  let calls = 0;
  server.on("connection", (socket) => {
    const { _writev: writeMany } = socket;
    socket._writev = (...args) => {
      calls++;
      writeMany?.apply(socket, args);
    };
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const pieces: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const url = `http://127.0.0.1:${port}/a/info/refs?service=git-upload-pack`;
    const headers = { "git-protocol": "version=2" };
    get(url, { headers, agent: false }, (answer) => {
      answer.on("data", (piece) => pieces.push(`${calls}${piece}`));
      answer.on("end", resolve);
    }).on("error", reject);
  });
  expect(pieces.map((piece) => piece.slice(1)).join("")).toBe("abcde");
  expect(pieces[0]).toMatch(/^1/);
  expect(calls).toBe(2);
});
