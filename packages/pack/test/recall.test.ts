import type { ObjectId, PackRequest } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { describe, expect, it } from "vitest";
import { makePack, ObjectTable, soughtAnswer } from "../src/index.ts";
import { answerKey } from "../src/make/recall.ts";
import { createNodeZlibCodec } from "../src/node.ts";
import { AnswerMemory } from "../src/read/answer-memory.ts";
import { blob, commit, tag, tree } from "./memory-history.ts";
import { idOf, looseObjects, type MemoryObject, packedWhole } from "./memory-table.ts";
import { NOTHING_LOOSE } from "./open-table.ts";
import { concat } from "./pack-builder.ts";

const [one, two] = [blob("one"), blob("two".repeat(10_000))];
const root = tree(["one", one], ["two", two]);
const old = commit(root);
const tip = commit(root, [old]);
const mark = tag(old);
const all = [one, two, root, old, tip, mark];
const FRESH = { wants: [idOf(tip)], haves: [], ofsDelta: true } as const;

function make(table: ObjectTable, request: Partial<PackRequest> = {}): Uint8Array {
  const tools = { codec: createNodeZlibCodec(), createHasher: createNodeHasher };
  const chunks: Uint8Array[] = [];
  for (const event of makePack(table, { ...FRESH, ...request }, tools))
    if (event?.kind === "bytes") chunks.push(event.bytes);
  return concat(...chunks);
}

/** Whether the answer was found without a walk: one that may visit no tree finds none. */
function isRecalled(table: ObjectTable, request: Partial<PackRequest> = {}): boolean {
  const limits = { maxTreeVisits: 0, maxCpuMs: 1000, maxPackBytes: 1e9 };
  try {
    make(table, { ...request, limits });
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "pack/limit-exceeded" });
    return false;
  }
}

const filler = Array.from({ length: 600 }, (_, i) => blob(`filler ${i}`));

describe.each([
  ["of a whole pack", [...all]],
  ["of a few objects among many", [...all, ...filler]],
])("an answer %s", (_, objects: readonly MemoryObject[]) => {
  const fresh = () => new ObjectTable("sha1", [packedWhole(objects)], NOTHING_LOOSE);

  it("is given again, byte for byte, without a walk", () => {
    const table = fresh();
    expect(isRecalled(table)).toBe(false);
    const first = make(table);
    expect(isRecalled(table)).toBe(true);
    expect(make(table)).toEqual(first);
    expect(make(table.withLoose(NOTHING_LOOSE))).toEqual(first);
    expect(isRecalled(table.withLoose(NOTHING_LOOSE))).toBe(true);
  });

  it("is another for another request", () => {
    const table = fresh();
    make(table);
    for (const request of [
      { wants: [idOf(old)] },
      { wants: [idOf(tip), idOf(mark)] },
      { shallow: [idOf(tip)] },
      { filter: { kind: "blob-none" } },
      { filter: { kind: "tree-depth", depth: Infinity } },
      { allowMissing: true },
    ] as const) {
      expect(isRecalled(table, request)).toBe(false);
      const answer = make(table, request);
      expect(isRecalled(table, request)).toBe(true);
      expect(answer).toEqual(make(fresh(), request));
      expect(make(table, request)).toEqual(answer);
    }
    expect(make(table)).toEqual(make(fresh()));
  });

  it("brings what is not part of it: tags, and what comes from elsewhere", () => {
    const table = fresh();
    make(table);
    const tags = [{ tag: idOf(mark), peeled: idOf(old) }];
    expect(make(table, { tags })).toEqual(make(fresh(), { tags }));
    expect(make(table, { elsewhere: [idOf(two)] })).toEqual(make(fresh(), { elsewhere: [idOf(two)] }));
    expect(make(table)).toEqual(make(fresh()));
  });

  it("is not remembered of a client that has something", () => {
    const table = fresh();
    const request = { wants: [idOf(tip)], haves: [idOf(one)] };
    make(table, request);
    expect(isRecalled(table, request)).toBe(false);
  });
});

describe("an answer that somebody is after", () => {
  const tools = { codec: createNodeZlibCodec(), createHasher: createNodeHasher };
  // A walk that breathes: each of these is a step of it.
  const line = [old];
  for (let i = 0; i < 3000; i++) line.push(commit(root, [line.at(-1) as MemoryObject]));
  const request = { ...FRESH, wants: [idOf(line.at(-1) as MemoryObject)] };
  const fresh = () => new ObjectTable("sha1", [packedWhole([one, two, root, ...line])], NOTHING_LOOSE);
  const sought = (table: ObjectTable, asked: PackRequest = request) =>
    soughtAnswer(table, asked, createNodeHasher);

  it("can be waited for until it is known", async () => {
    const table = fresh();
    expect(sought(table)).toBeUndefined();
    const walk = makePack(table, request, tools);
    expect(walk.next().done).toBe(false);
    const pending = sought(table);
    expect(sought(table, { ...request, wants: [idOf(old)] })).toBeUndefined();
    expect(sought(table, { ...request, haves: [idOf(old)] })).toBeUndefined();
    for (const _ of walk);
    await pending;
    expect(pending).toBeDefined();
    expect(sought(table)).toBeUndefined();
    expect(isRecalled(table, request)).toBe(true);
  });

  it("is waited for no longer when its walk is given up", async () => {
    const table = fresh();
    const walk = makePack(table, request, tools);
    walk.next();
    const pending = sought(table);
    expect(pending).toBeDefined();
    walk.return();
    await pending;
    expect(sought(table)).toBeUndefined();
  });
});

describe("an answer with loose objects", () => {
  const pack = packedWhole([one, two, root, old]);
  const fresh = (loose = looseObjects([tip, mark])) => new ObjectTable("sha1", [pack], loose);

  it("finds them again under their new numbers", () => {
    const table = fresh();
    const first = make(table);
    const later = table.withLoose(looseObjects([mark, tip]));
    expect(later.findId(idOf(mark))).toBe(table.packedCount);
    expect(isRecalled(later)).toBe(true);
    expect(make(later)).toEqual(first);
  });

  it("is looked for anew when one of them is gone", () => {
    const table = fresh();
    make(table);
    expect(() => make(table.withLoose(NOTHING_LOOSE))).toThrow(
      expect.objectContaining({ code: "pack/missing-object" }),
    );
  });

  it("is not remembered with very many", () => {
    const many = Array.from({ length: 1100 }, (_, i) => blob(`many ${i}`));
    const wideTree = tree(...many.map((object, i) => [`f${i}`, object] as const));
    const wide = commit(wideTree);
    const table = new ObjectTable("sha1", [pack], looseObjects([...many, wide, wideTree]));
    make(table, { wants: [idOf(wide)] });
    expect(isRecalled(table, { wants: [idOf(wide)] })).toBe(false);
  });
});

describe("answerKey", () => {
  const key = (request: Partial<PackRequest>) => answerKey({ ...FRESH, ...request }, createNodeHasher);

  it("does not depend on order, repetition, or what decides about bytes only", () => {
    const [a, b] = [idOf(old), idOf(tip)] as [ObjectId, ObjectId];
    expect(key({ wants: [b, a, b], thin: true, progress: true })).toBe(key({ wants: [a, b] }));
    expect(key({ wants: [a], shallow: [b] })).not.toBe(key({ wants: [b], shallow: [a] }));
  });

  it("tells every filter from the others", () => {
    const filters = [
      { kind: "blob-none" },
      { kind: "blob-limit", limitBytes: 1 },
      { kind: "blob-limit", limitBytes: Infinity },
      { kind: "tree-depth", depth: 1 },
      { kind: "tree-depth", depth: Infinity },
      { kind: "object-type", type: "tree" },
      { kind: "sparse", patterns: idOf(one) },
      { kind: "sparse", patterns: idOf(two) },
      { kind: "combine", filters: [{ kind: "blob-none" }] },
    ] as const;
    expect(new Set(filters.map((filter) => key({ filter }))).size).toBe(filters.length);
  });
});

describe("AnswerMemory", () => {
  it("drops the least recently used beyond its bytes", () => {
    const memory = new AnswerMemory();
    const answer = { packed: new Uint8Array(3 * 1024 * 1024), packedCount: 1, loose: [] };
    memory.set("a", answer);
    memory.set("b", answer);
    expect(memory.get("a")).toBe(answer);
    memory.set("c", answer);
    expect(["a", "b", "c"].map((name) => memory.get(name) !== undefined)).toEqual([true, false, true]);
  });

  it("keeps nothing that is too large by itself, and counts what takes another's place once", () => {
    const memory = new AnswerMemory();
    memory.set("large", { packed: new Uint8Array(9 * 1024 * 1024), packedCount: 1, loose: [] });
    expect(memory.get("large")).toBeUndefined();
    for (let i = 0; i < 10; i++)
      memory.set("same", { packed: new Uint8Array(3 * 1024 * 1024), packedCount: 1, loose: [] });
    memory.set("other", { packed: new Uint8Array(3 * 1024 * 1024), packedCount: 1, loose: [] });
    expect(memory.get("same")).toBeDefined();
  });
});
