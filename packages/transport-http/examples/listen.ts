import { createFetchHandler } from "@x/transport-http";
import { createNodeHttpServer } from "@x/transport-http/node";

const handler = createFetchHandler({
  service: async function* (call) {
    for await (const chunk of call.input) yield chunk;
  },
});
const server = createNodeHttpServer({ handler, host: "127.0.0.1", port: 0 });
const { host, port } = await server.listen();

const response = await fetch(`http://${host}:${port}/demo.git/git-upload-pack`, {
  method: "POST",
  headers: { "content-type": "application/x-git-upload-pack-request" },
  body: "0000",
});
console.log(response.status, await response.text());

await server.close({ graceMs: 10_000 });
