import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { createGitServer } from "@x/server";
import { listen } from "@x/server/node";
import { createMemoryRepository, repositoriesFrom } from "@x/storage-memory";

const app = createMemoryRepository();
await app.commit({ branch: "main", message: "first", files: { "README.md": "# hi\n" } });

const pushed: string[] = [];
const server = createGitServer({
  repositories: repositoriesFrom(new Map([["team/app", app]])),
  authorize: async ({ service, credentials }) =>
    service === "git-upload-pack" || (credentials.kind === "basic" && credentials.password === "secret")
      ? { granted: true }
      : { granted: false, reason: "credentials" },
  hooks: { postReceive: async ({ commands }) => void pushed.push(...commands.map(({ ref }) => ref)) },
});
const git = await listen(server, { http: {}, git: { port: 0 } }); // free ports of 127.0.0.1
const work = await mkdtemp(`${tmpdir()}/fixture-`);
const run = (...args: string[]) => promisify(execFile)("git", ["-C", work, ...args]);
try {
  await run("clone", "-q", git.url("team/app"), "."); // http://127.0.0.1:…/team/app
  await run("fetch", "-q", git.url("team/app", "git"));
  assert.equal(await readFile(`${work}/README.md`, "utf8"), "# hi\n");

  const push = ["push", "-q", git.url("team/app").replace("//", "//me:secret@"), "HEAD:refs/heads/topic"];
  await run(...push);
  assert.deepEqual(pushed, ["refs/heads/topic"]);
  assert.equal(await app.resolve("topic"), await app.resolve("main"));
} finally {
  await git.close();
  await rm(work, { recursive: true });
}
