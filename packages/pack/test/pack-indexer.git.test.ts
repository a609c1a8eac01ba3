import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createTestRepository,
  gitEnvironment,
  type TestRepository,
  temporaryDirectory,
} from "@tooling/test-kit";
import type { ObjectFormat, ObjectType } from "@x/objects";
import { beforeAll, describe, expect, it } from "vitest";
import { encodePackIndex, type FindBase, PackIndex } from "../src/index.ts";
import { HOSTILE_PACKS } from "./hostile-packs.ts";
import {
  appending,
  bytesOf,
  noise,
  ofsDelta,
  packOf,
  rawId,
  refDelta,
  resealed,
  whole,
} from "./pack-builder.ts";
import { takeIn, verdictOn } from "./take-in.ts";

/** Runs git and gives its output as bytes. */
function gitBytes(args: readonly string[], cwd: string, input: string | Uint8Array = ""): Uint8Array {
  return execFileSync("git", args, {
    cwd,
    input,
    env: gitEnvironment(),
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

/** What `git index-pack` makes of a pack: the index files, or `undefined` when it refuses. */
function gitIndex(directory: string, pack: Uint8Array, ...args: readonly string[]) {
  const path = join(directory, "oracle.pack");
  writeFileSync(path, pack);
  const idx = join(directory, "oracle.idx");
  gitBytes(["index-pack", "--rev-index", ...args, "-o", idx, path], directory);
  return { idx: readFileSync(idx), rev: readFileSync(join(directory, "oracle.rev")) };
}

/** Which of `packs` `git index-pack` takes, all in one process of sh. */
function gitAccepts(packs: readonly Uint8Array[], option = ""): boolean[] {
  const directory = temporaryDirectory("oracle");
  execFileSync("git", ["init", "-q", "--bare", directory], { env: gitEnvironment() });
  for (const [i, pack] of packs.entries()) writeFileSync(join(directory, `${i}.pack`), pack);
  const script = `ulimit -v 2000000; i=0; while [ $i -lt ${packs.length} ]; do
    if git index-pack ${option} -o $i.idx $i.pack >/dev/null 2>&1; then echo 1; else echo 0; fi; i=$((i+1)); done`;
  const output = execFileSync("sh", ["-c", script], {
    cwd: directory,
    env: gitEnvironment(),
    encoding: "latin1",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return output
    .trim()
    .split("\n")
    .map((line) => line === "1");
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

describe.each<ObjectFormat>(["sha1", "sha256"])("packs of git in %s", (format) => {
  let repository: TestRepository;
  /** Raw ids in hex to what they name. */
  const store = new Map<string, { readonly type: ObjectType; readonly data: Uint8Array }>();
  const findBase: FindBase = (id) => store.get(Buffer.from(id).toString("hex"));

  beforeAll(async () => {
    repository = await createTestRepository({ objectFormat: format });
    let text = "";
    for (let i = 0; i < 40; i++) {
      text = `${text.slice(i)}line ${i} of something that grows and changes ${i * 7919}\n`;
      await repository.commit(`commit ${i}`, { grows: text, [`file${i}`]: `${i}\n`, noise: noise(3000 + i) });
    }
    await repository.commit("large", { large: noise(300_000), zeros: new Uint8Array(3_000_000) });
    await repository.git("tag", "-a", "-m", "a tag", "v1");
    const all = Buffer.from(gitBytes(["cat-file", "--batch-all-objects", "--batch"], repository.directory));
    for (let at = 0; at < all.length; ) {
      const end = all.indexOf(10, at);
      const [id = "", type = "", size = ""] = all.toString("latin1", at, end).split(" ");
      store.set(id, { type: type as ObjectType, data: all.subarray(end + 1, end + 1 + Number(size)) });
      at = end + 2 + Number(size);
    }
  }, 60_000);

  it.each([
    ["deltas by offset", ["--delta-base-offset"]],
    ["deltas by id", []],
    ["long chains", ["--delta-base-offset", "--depth=200", "--window=200"]],
    ["long chains by id", ["--depth=200", "--window=200"]],
    ["no deltas", ["--window=0"]],
  ])(
    "%s: idx and rev are git's",
    (_, options) => {
      const pack = gitBytes(
        ["pack-objects", "--stdout", "--revs", "--all", "--no-reuse-delta", ...options],
        repository.directory,
      );
      const oracle = gitIndex(repository.directory, pack);
      for (const chunkBytes of [1, 7, 4096, 1 << 20]) {
        const taken = takeIn(pack, { format, chunkBytes });
        expect(same(taken.indexBytes, oracle.idx)).toBe(true);
        expect(same(taken.reverseIndexBytes, oracle.rev)).toBe(true);
        expect(same(taken.stored, pack)).toBe(true);
      }
      for (const options of [
        { neutral: true, chunkBytes: 999 },
        { maxBaseBytes: 0 },
        { maxBaseBytes: 10_000 },
      ])
        expect(same(takeIn(pack, { format, ...options }).indexBytes, oracle.idx)).toBe(true);
    },
    60_000,
  );

  it.each([
    ["by offset", ["--delta-base-offset"]],
    ["by id", []],
  ])(
    "thin packs are completed, deltas %s",
    (_, options) => {
      const thin = gitBytes(
        [
          "pack-objects",
          "--stdout",
          "--revs",
          "--thin",
          "--depth=200",
          "--window=200",
          "--no-reuse-delta",
          ...options,
        ],
        repository.directory,
        "HEAD\n^HEAD~10\n",
      );
      expect(verdictOn(thin, { format })).toBe("pack/missing-base");
      for (const chunkBytes of [1, 4096]) {
        const taken = takeIn(thin, { format, chunkBytes, findBase });
        expect(taken.added).toBeGreaterThan(0);
        const oracle = gitIndex(repository.directory, taken.stored, "--strict");
        expect(same(taken.indexBytes, oracle.idx)).toBe(true);
        expect(same(taken.reverseIndexBytes, oracle.rev)).toBe(true);
        // git completes it with the same objects, though its zlib may make other bytes of them.
        const path = join(temporaryDirectory("thin"), "completed");
        gitBytes(["index-pack", "--stdin", "--fix-thin", `${path}.pack`], repository.directory, thin);
        const theirs = new PackIndex(readFileSync(`${path}.idx`), format);
        expect(idsOf(taken.index)).toEqual(idsOf(theirs));
      }
    },
    60_000,
  );

  it("offsets beyond a chosen one take 64 bits as git's do", () => {
    const pack = gitBytes(
      ["pack-objects", "--stdout", "--revs", "--all", "--delta-base-offset"],
      repository.directory,
    );
    const { index, packChecksum } = takeIn(pack, { format });
    const rows = [...index.order];
    const sorted = new Uint32Array(rows.length);
    for (const [row, position] of rows.entries()) sorted[position] = row;
    const ids = Buffer.concat(rows.map((position) => index.rawId(position)));
    const crcs = Uint32Array.from(rows, (position) => index.crc32(position) ?? 0);
    const offsets = Float64Array.from(rows, (position) => index.offset(position));
    for (const limit of [0, 5000, 100_000, 0x7fffffff]) {
      const oracle = gitIndex(repository.directory, pack, `--index-version=2,${limit}`);
      const columns = { format, count: rows.length, ids, crcs, offsets, sorted, packChecksum };
      expect(same(encodePackIndex(columns, {}, limit), oracle.idx)).toBe(true);
    }
  });
});

function idsOf(index: PackIndex): string[] {
  return Array.from({ length: index.count }, (_, position) => index.id(position));
}

describe("verdicts", () => {
  it("on hostile packs are those of git index-pack --strict", () => {
    const accepted = gitAccepts(
      HOSTILE_PACKS.map(({ pack }) => pack),
      "--strict",
    );
    for (const [i, { name, pack, git: oracle }] of HOSTILE_PACKS.entries()) {
      const expected = oracle === undefined ? verdictOn(pack) === "accepted" : oracle === "accepts";
      expect([name, accepted[i]]).toEqual([name, expected]);
    }
  }, 60_000);

  const text = bytesOf("a base\n");
  const base = whole("blob", text);
  const change = appending(text.length, bytesOf("b\n"));
  const small: readonly (readonly [string, Uint8Array])[] = [
    ["a blob", packOf([base])],
    ["an OFS_DELTA", packOf([base, ofsDelta(base.length, change)])],
    ["a REF_DELTA before its base", packOf([refDelta(rawId(text), change), base])],
  ];

  it.each(small)(
    "on a pack with %s cut short at each byte",
    (_, pack) => {
      const cuts = Array.from({ length: pack.length }, (_, end) => pack.subarray(0, end));
      for (const cut of cuts) expect(verdictOn(cut)).toBe("pack/truncated");
      expect(gitAccepts([...cuts, pack])).toEqual([...cuts.map(() => false), true]);
    },
    60_000,
  );

  it.each(small)(
    "on a pack with %s and any one bit turned over",
    (_, pack) => {
      const flipped = Array.from({ length: pack.length * 8 }, (_, bit) => flip(pack, bit));
      for (const each of flipped) expect(verdictOn(each)).toMatch(/^pack\//);
      // The trailer made right again, it is all up to the parts.
      const sealed = flipped.slice(0, -160).map((each) => resealed(each));
      const accepted = gitAccepts(sealed);
      for (const [bit, each] of sealed.entries())
        expect([
          bit,
          verdictOn(each) === "accepted",
          verdictOn(each, { neutral: true }) === "accepted",
        ]).toEqual([bit, accepted[bit], accepted[bit]]);
      expect(accepted).toContain(true);
    },
    120_000,
  );
});

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}
