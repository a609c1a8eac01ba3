import assert from "node:assert/strict";
import type { ObjectStore } from "@x/objects";
import type { RefStore } from "@x/refs";
import { createGitService, type Repository } from "@x/server-core";

// Any storage will do; this one is an empty repository in a few lines.
const repository: Repository = {
  objectFormat: "sha1",
  objects: { format: "sha1", shallow: async () => [] } as unknown as ObjectStore,
  refs: {
    get: async (name) =>
      name === "HEAD" ? { name, target: { kind: "symbolic", name: "refs/heads/main" } } : undefined,
    async *list() {},
    transact: async () => [],
  } satisfies RefStore,
  config: { get: () => undefined, getAll: () => [] },
  bare: true,
};

const repositories = new Map([["/demo.git", repository]]);
const service = createGitService({
  repositories: async (call) => repositories.get(call.repository),
  services: ["git-upload-pack", "git-receive-pack"],
  agent: "example/1",
});

/** Any transport will do; this one has a request in a string, as an HTTP POST would bring it. */
async function post(request: string): Promise<string> {
  let answer = "";
  const call = {
    service: "git-upload-pack",
    repository: "/demo.git",
    version: 2,
    mode: "rpc",
    transport: "example",
    peer: {},
    signal: new AbortController().signal,
    input: new Blob([request]).stream(),
  } as const;
  for await (const chunk of service(call)) answer += new TextDecoder().decode(chunk);
  return answer;
}

assert.equal(
  await post("0014command=ls-refs\n0001000csymrefs\n000bunborn\n0000"),
  "002eunborn HEAD symref-target:refs/heads/main\n0000",
);
