import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSshGitServer, openAuthorizedKeys, openHostKey } from "@x/transport-ssh";

const directory = await mkdtemp(join(tmpdir(), "x-ssh-"));
await writeFile(
  join(directory, "authorized_keys"),
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEpZVcYD6sHWxJm/Zyv0JuDAV90OCNgSmf63kbR95StY ada laptop\n",
);

const hostKey = await openHostKey(join(directory, "host_key")); // made if absent
const server = createSshGitServer({
  // Any GitService will do; createGitService of @x/server-core makes a real one.
  service: async function* (call) {
    for await (const chunk of call.input) yield chunk;
  },
  hostKeys: [hostKey],
  authenticate: await openAuthorizedKeys(join(directory, "authorized_keys"), {
    onRefused: ({ line, reason }) => console.log(`line ${line}: ${reason}`),
  }),
  port: 0, // 22 when not given
});
const { host, port } = await server.listen();
console.log(`ssh://git@${host}:${port}/`, hostKey.fingerprint);

await server.close({ graceMs: 10_000 });
await rm(directory, { recursive: true });
