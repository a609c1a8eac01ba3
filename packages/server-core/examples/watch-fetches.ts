import assert from "node:assert/strict";
import { type ObjectStore, parseObjectId } from "@x/objects";
import type { RefStore } from "@x/refs";
import { createGitService, type Hooks, type Repository } from "@x/server-core";

const usage: string[] = [];

const hooks: Hooks = {
  // What is asked for, before anything is looked for; a text refuses it, and the user sees it.
  async preFetch({ wants, filter, serverOptions }) {
    const isHuge = wants.some(({ refs }) => refs.includes("refs/heads/huge"));
    if (!isHuge || filter !== undefined || serverOptions.includes("all-of-it")) return undefined;
    return "fetch it with --filter=blob:none, or say --server-option=all-of-it";
  },
  // How it went.
  async postFetch({ call }, { outcome, objects }) {
    usage.push(`${call.peer.user} ${outcome} ${objects}`);
  },
};

// Any storage will do; this one has a ref, and a pack for whoever wants what it holds.
const id = parseObjectId("8b137891791fe96927ad78e64b0aad7bded08bdc", "sha1");
assert(id);
const repository: Repository = {
  objectFormat: "sha1",
  objects: {
    format: "sha1",
    shallow: async () => [],
    has: async (ids: readonly unknown[]) => ids.map(() => true),
    async *createPack() {
      yield { kind: "bytes", bytes: new TextEncoder().encode("PACK...") };
      yield { kind: "summary", summary: { objects: 7, bytes: 7, reused: 7, deltas: 0 } };
    },
  } as unknown as ObjectStore,
  refs: {
    get: async () => undefined,
    async *list() {
      yield [{ name: "refs/heads/huge", target: { kind: "id", id } }];
    },
    transact: async () => [],
  } satisfies RefStore,
  config: { get: () => undefined, getAll: () => [] },
  bare: true,
};
const service = createGitService({ repositories: async () => repository, hooks });

async function post(request: string): Promise<string> {
  let answer = "";
  const call = {
    service: "git-upload-pack",
    repository: "/demo.git",
    version: 2,
    mode: "rpc",
    transport: "example",
    peer: { user: "ada" },
    signal: new AbortController().signal,
    input: new Blob([request]).stream(),
  } as const;
  try {
    for await (const chunk of service(call)) answer += new TextDecoder().decode(chunk);
  } catch {
    // The client has been told: it is in the answer.
  }
  return answer;
}

const want = `00010032want ${id}\n0008done0000`;
assert.equal(
  await post(`0011command=fetch${want}`),
  "004aERR fetch it with --filter=blob:none, or say --server-option=all-of-it",
);
assert.match(await post(`0011command=fetch001bserver-option=all-of-it${want}`), /^000dpackfile\n.*PACK/s);
assert.deepEqual(usage, ["ada sent 7"]);
