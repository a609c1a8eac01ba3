import { get as getPlain, type IncomingMessage } from "node:http";
import { get as getSecure } from "node:https";
import { lendChunks, makeCertificate } from "@tooling/test-kit";
import { expect, it, onTestFinished } from "vitest";
import { createFetchHandler } from "../src/index.ts";
import { createNodeHttpServer } from "../src/node.ts";

it.each(["http", "https"] as const)(
  "fills a chunk's memory again when the chunk has left, and not before, over %s",
  async (scheme) => {
    const { service, buffers, spoiled } = lendChunks(400);
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
    expect(spoiled(Buffer.concat(received))).toEqual([]);
    expect(buffers()).toBeLessThan(20);
  },
);
