import { connect } from "node:net";
import { encodePackets } from "@x/pktline";
import { createTcpGitServer, formatRequestLine } from "@x/transport-tcp";

// Any GitService will do; createGitService of @x/server-core makes a real one.
const server = createTcpGitServer({
  service: async function* (call) {
    yield encodePackets([
      `ERR ${call.service} of ${call.repository}, version ${call.version}: nothing here yet`,
    ]);
  },
  port: 0, // 9418 when not given
  limits: { maxConnections: 32 },
});
const { host, port } = await server.listen();

// What git sends for `git ls-remote git://127.0.0.1/demo.git`.
const line = formatRequestLine({
  service: "git-upload-pack",
  path: "/demo.git",
  host,
  port,
  parameters: ["version=2"],
});
const socket = connect(port, host).end(encodePackets([line]));
for await (const chunk of socket) console.log(String(chunk));

await server.close({ graceMs: 10_000 });
