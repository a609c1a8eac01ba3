import { lendChunks } from "@tooling/test-kit";
import { expect, it } from "vitest";
import { Client, request, sleep, start } from "./wire.ts";

it("fills a chunk's memory again when the chunk has left, and not before", async () => {
  const { service, buffers, spoiled } = lendChunks(400);
  const { port } = await start(service);
  const client = new Client(port, { reading: false }).send(request());
  await sleep(200);
  // What waits for the client is in nobody else's memory.
  const received: Buffer[] = [];
  client.socket.on("data", (chunk) => received.push(chunk));
  client.socket.once("end", () => client.socket.end());
  await client.closed;
  expect(spoiled(Buffer.concat(received))).toEqual([]);
  expect(buffers()).toBeLessThan(10);
});
