import { strict as assert } from "node:assert";
import { refStoreCases } from "@x/conformance";
import type { Ref, RefStore } from "@x/refs";

/** A ref store that somebody wrote in an hour. */
function createNaiveRefs(): RefStore {
  const refs = new Map<string, Ref>();
  refs.set("HEAD", { name: "HEAD", target: { kind: "symbolic", name: "refs/heads/main" } });
  return {
    get: async (name) => refs.get(name),
    async *list({ prefixes = [""] } = {}) {
      const names = [...refs.keys()].filter((name) => name.startsWith("refs/")).sort();
      for (const name of names)
        if (prefixes.some((prefix) => name.startsWith(prefix))) yield [refs.get(name) as Ref];
    },
    async transact(edits) {
      for (const { name, next } of edits)
        if (next === "delete") refs.delete(name);
        else refs.set(name, { name, target: { kind: "id", id: next } });
      return edits.map(() => ({ status: "ok" }));
    },
  };
}

const failed: string[] = [];
for (const { name, run } of refStoreCases("sha1"))
  await run(async () => createNaiveRefs()).catch(() => failed.push(name));

assert.ok(failed.includes("one refusal calls all of an atomic transaction off"));
assert.ok(failed.includes("of many writers that expect the same exactly one wins, each time"));
assert.ok(!failed.includes("refs are listed in byte order of their names"));
