import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { listen } from "@x/server/node";
import { createTestGitServer } from "@x/server/testing";
import { createMemoryRepository, repositoriesFrom } from "@x/storage-memory";

const app = createMemoryRepository();
await app.commit({ branch: "main", message: "first", files: { "README.md": "# hi\n" } });

const server = createTestGitServer({ repositories: repositoriesFrom(new Map([["team/app", app]])) });
const git = await listen(server);
const work = await mkdtemp(`${tmpdir()}/tested-`);
const clone = (name: string) =>
  promisify(execFile)("git", ["clone", "-q", "--depth=1", git.url("team/app"), `${work}/${name}`]);
try {
  server.fault({ when: { service: "git-upload-pack", mode: "rpc" }, cutAfterBytes: 100 });
  await assert.rejects(clone("cut"));
  server.fault({ status: 503, retryAfterMs: 2000 });
  await assert.rejects(clone("busy"));
  await clone("good");
  const { repository, version, depth, status } = server.requests.at(-1) ?? {};
  assert.deepEqual(
    { repository, version, depth, status },
    { repository: "team/app", version: 2, depth: 1, status: 200 },
  );
} finally {
  await git.close();
  await rm(work, { recursive: true });
}
