import { strict as assert } from "node:assert";
import { createGitService } from "@x/server-core";
import { createMemoryRepository, repositoriesFrom } from "@x/storage-memory";
import { createFetchHandler } from "@x/transport-http";

const acme = createMemoryRepository({ author: { name: "Robot", email: "robot@example.com" } });
await acme.commit({
  branch: "main",
  message: "v1",
  files: { "README.md": "# acme\n", "bin/acme": { mode: 0o100755, content: "#!/bin/sh\n" } },
});
await acme.tag({ name: "v1", message: "The first one" });

const service = createGitService({ repositories: repositoriesFrom(new Map([["plugins/acme", acme]])) });
const fetch = createFetchHandler({ service });

// git clone https://example.com/plugins/acme begins with this:
const answer = await fetch(new Request("https://example.com/plugins/acme/info/refs?service=git-upload-pack"));
assert.equal(answer.status, 200);
assert.match(await answer.text(), new RegExp(`${await acme.resolve("main")} refs/heads/main`));
