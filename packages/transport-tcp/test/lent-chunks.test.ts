import type { GitService } from "@x/server-core";
import { expect, it } from "vitest";
import { Client, request, sleep, start } from "./wire.ts";

const CHUNK = 65536;

/** Sends chunks that are filled with their number, in as few buffers as come back. */
function lender(chunks: number): { service: GitService; made: () => number } {
  const spares: ArrayBuffer[] = [];
  let made = 0;
  const service: GitService = async function* (call) {
    for (let number = 0; number < chunks; number++) {
      const spare = spares.pop();
      if (spare === undefined) made++;
      const buffer = spare ?? new ArrayBuffer(CHUNK);
      const chunk = new Uint8Array(buffer).fill(number);
      call.lend?.(chunk, () => void spares.push(buffer));
      yield chunk;
      // What has left meanwhile comes back.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { service, made: () => made };
}

it("fills a chunk's memory again when the chunk has left, and not before", async () => {
  const chunks = 400;
  const { service, made } = lender(chunks);
  const { port } = await start(service);
  const client = new Client(port, { reading: false }).send(request());
  await sleep(200);
  // What waits for the client is in nobody else's memory.
  const received: Buffer[] = [];
  client.socket.on("data", (chunk) => received.push(chunk));
  client.socket.once("end", () => client.socket.end());
  await client.closed;
  const all = Buffer.concat(received);
  expect(all.length).toBe(chunks * CHUNK);
  const wrong = Array.from({ length: chunks }, (_, number) => number).filter(
    (number) => !all.subarray(number * CHUNK, (number + 1) * CHUNK).every((byte) => byte === number % 256),
  );
  expect(wrong).toEqual([]);
  expect(made()).toBeLessThan(10);
});
