import assert from "node:assert/strict";
import { createFetchHandler } from "@x/transport-http";

// Any GitService will do; createGitService of @x/server-core makes a real one.
const handler = createFetchHandler({
  service: async function* (call) {
    yield new TextEncoder().encode(`${call.mode} ${call.service} of ${call.repository}`);
  },
  basePath: "/git",
});

// The same function on Node, Bun, Deno and workerd: `export default { fetch: handler }` where that is the way.
const response = await handler(
  new Request("http://localhost/git/demo.git/info/refs?service=git-upload-pack"),
);
assert.equal(response.status, 200);
assert.equal(response.headers.get("content-type"), "application/x-git-upload-pack-advertisement");
assert.equal(
  await response.text(),
  "001e# service=git-upload-pack\n0000advertise git-upload-pack of /demo.git",
);

assert.equal((await handler(new Request("http://localhost/git/demo.git/config"))).status, 404);
