import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileHooks, serverEnvironment } from "@x/file-hooks";
import { combineHooks, createGitService } from "@x/server-core";
import { createRepositoryOpener, createWorkerPool, repositoriesUnder } from "@x/storage-fs";
import { createFetchHandler } from "@x/transport-http";

const root = await mkdtemp(join(tmpdir(), "serve-")); // /srv/git, say
const pool = createWorkerPool();
const opener = createRepositoryOpener(pool);
const directories = repositoriesUnder(root);

const fileHooks = createFileHooks({
  // What hooks see of this process is a short list; here they get one variable more.
  environment: (context) => ({ ...serverEnvironment(process.env)(context), SITE: "/srv/site" }),
  limits: { timeoutMs: 60_000 },
  logger: console,
});

const service = createGitService({
  repositories: async (call) => {
    const layout = await directories.find(call.repository);
    return layout && opener.open(layout);
  },
  services: ["git-upload-pack", "git-receive-pack"],
  agent: "example/1",
  hooks: combineHooks(
    {
      // Functions are asked first; the scripts in the repository's hooks/ see what they let through.
      preReceive: async ({ commands }) =>
        commands.length > 100 ? "push at most 100 refs at once" : undefined,
    },
    fileHooks,
  ),
});

// A function from Request to Response: put it behind any HTTP server.
const handler = createFetchHandler({ service });
const answer = await handler(new Request("http://localhost/demo.git/info/refs?service=git-receive-pack"));
console.log(answer.status); // 404: there is no repository yet

await fileHooks.close({ graceMs: 10_000 });
await pool.close();
await rm(root, { recursive: true });
