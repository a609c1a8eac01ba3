import { get as getPlain, type IncomingMessage } from "node:http";
import { get as getSecure } from "node:https";
import { makeCertificate } from "@tooling/test-kit";
import type { GitService } from "@x/server-core";
import { expect, it, onTestFinished } from "vitest";
import { createFetchHandler } from "../src/index.ts";
import { createNodeHttpServer } from "../src/node.ts";

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

it.each(["http", "https"] as const)(
  "fills a chunk's memory again when the chunk has left, and not before, over %s",
  async (scheme) => {
    const chunks = 400;
    const { service, made } = lender(chunks);
    const handler = createFetchHandler({ service });
    const server = createNodeHttpServer({
      handler,
      ...(scheme === "https" ? { tls: makeCertificate("one") } : {}),
    });
    const { port } = await server.listen();
    onTestFinished(() => server.close());
    const url = `${scheme}://127.0.0.1:${port}/a/info/refs?service=git-upload-pack`;
    const headers = { "git-protocol": "version=2" };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked =
        scheme === "https"
          ? getSecure(url, { headers, rejectUnauthorized: false }, resolve)
          : getPlain(url, { headers }, resolve);
      asked.on("error", reject);
    });
    // Meanwhile as much waits as may.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const received: Buffer[] = [];
    for await (const chunk of answer) received.push(chunk);
    const all = Buffer.concat(received);
    expect(all.length).toBe(chunks * CHUNK);
    const wrong = Array.from({ length: chunks }, (_, number) => number).filter(
      (number) => !all.subarray(number * CHUNK, (number + 1) * CHUNK).every((byte) => byte === number % 256),
    );
    expect(wrong).toEqual([]);
    expect(made()).toBeLessThan(20);
  },
);
