import assert from "node:assert/strict";
import type { Hooks, PreReceiveContext } from "@x/server-core";

/** What a host asks of pushes: `createGitService({ repositories, services, hooks })`. */
export const hooks: Hooks = {
  // On the commands alone, before any of the pack is read: one ref by its name, or all by a text.
  async prePush({ call, commands, pushOptions = [] }) {
    if (pushOptions.includes("unchecked") && call.peer.user !== "ada") return "only ada pushes unchecked";
    const releases = commands.filter(({ ref }) => ref.startsWith("refs/heads/release/"));
    return new Map(releases.map(({ ref }) => [ref, "releases are made by the build"]));
  },

  // With the objects at hand, before anybody else can see them.
  async preReceive({ commands, objects, received, pushOptions = [], progress, drained }) {
    if (pushOptions.includes("unchecked")) return undefined;
    let looked = 0;
    for await (const batch of received()) {
      for (const { id, type, size } of batch) {
        if (type !== "blob") continue;
        if (size > 50_000_000) return `${id} has ${size} bytes, more than 50 MB`;
        const blob = await objects.read(id);
        if (new TextDecoder("latin1").decode(blob?.data).includes("-----BEGIN OPENSSH PRIVATE KEY-----"))
          return `${id} is a private key`;
      }
      looked += batch.length;
      progress(`looked into ${looked} objects\n`); // The user reads it at once: "remote: looked into ..."
      await drained();
    }
    const tips = await objects.peel(commands.map(({ newId }) => newId));
    const odd = commands.filter(({ ref }, i) => ref.startsWith("refs/tags/") && tips[i]?.type === "blob");
    return new Map(odd.map(({ ref }) => [ref, "tags name commits here"]));
  },

  // When the refs have changed and the user has been told.
  async postReceive({ commands, progress }) {
    for (const { ref } of commands) progress(`https://ci.example.com/?ref=${encodeURIComponent(ref)}\n`);
  },
};

// A hook is a function, so it can be tested like one.
const key = new TextEncoder().encode("-----BEGIN OPENSSH PRIVATE KEY-----\n");
const said: string[] = [];
const push = {
  commands: [],
  received: async function* () {
    yield [{ id: "5f1c", type: "blob", size: key.length }];
  },
  objects: { read: async () => ({ type: "blob", data: key }) },
  progress: (text: string) => said.push(text),
} as unknown as PreReceiveContext;
assert.equal(await hooks.preReceive?.(push), "5f1c is a private key");
assert.deepEqual(said, []);
