import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId, PackEvent, PackRequest, PackSummary } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { beforeAll, describe, expect, it } from "vitest";
import { makePack, type ObjectTable } from "../src/index.ts";
import { createNodeZlibCodec } from "../src/node.ts";
import { openTable } from "./open-table.ts";
import { concat } from "./pack-builder.ts";
import { Random } from "./random.ts";
import { type History, randomHistory } from "./random-history.ts";

const tools = { codec: createNodeZlibCodec(), createHasher: createNodeHasher };

interface Made {
  readonly pack: Uint8Array;
  readonly summary: PackSummary;
  readonly events: readonly PackEvent[];
}

function make(table: ObjectTable, request: Partial<Record<keyof PackRequest, unknown>>): Made {
  const events: PackEvent[] = [];
  for (const event of makePack(table, { haves: [], ...request } as PackRequest, tools))
    if (event !== undefined) events.push(event);
  const last = events.at(-1);
  if (last?.kind !== "summary") throw new Error("a pack ends with its summary");
  const pack = concat(...events.flatMap((event) => (event.kind === "bytes" ? [event.bytes] : [])));
  expect(last.summary.bytes).toBe(pack.length);
  return { pack, summary: last.summary, events };
}

/** A repository that has what `haves` reach, as a client would. */
async function clientWith(history: History, haves: readonly string[]): Promise<string> {
  const directory = temporaryDirectory("client");
  await git(["init", "-q", "--bare", `--object-format=${history.format}`, directory]);
  if (haves.length === 0) return directory;
  const { stdout } = await tryGit(["pack-objects", "-q", "--revs", "--stdout"], {
    cwd: history.directory,
    input: `${haves.join("\n")}\n`,
  });
  await git(["index-pack", "--stdin"], { cwd: directory, input: Buffer.from(stdout, "latin1") });
  return directory;
}

/** What `git index-pack` finds in a pack. */
async function take(client: string, pack: Uint8Array, ...flags: readonly string[]): Promise<string[]> {
  const name = await git(["index-pack", ...flags, "--stdin"], { cwd: client, input: pack });
  const index = join(client, "objects/pack", `pack-${name.split("\t").at(-1)}.idx`);
  const list = await git(["verify-pack", "-v", index], { cwd: client });
  return list.split("\n").filter((line) => /^[0-9a-f]{40,64} (commit|tree|blob|tag)/.test(line));
}

async function expectConnected(client: string, tips: readonly string[]): Promise<void> {
  for (const [i, tip] of tips.entries()) {
    const type = await git(["cat-file", "-t", tip], { cwd: client });
    if (type !== "blob" && type !== "tree") await git(["update-ref", `refs/tips/${i}`, tip], { cwd: client });
  }
  const { status, stdout, stderr } = await tryGit(["fsck", "--connectivity-only", "--no-dangling"], {
    cwd: client,
  });
  expect({
    status,
    text: `${stdout}${stderr}`.replace(/^notice: HEAD points to an unborn branch.*\n/m, ""),
  }).toEqual({
    status: 0,
    text: "",
  });
}

describe.each<ObjectFormat>(["sha1", "sha256"])("packs for git, %s", (format) => {
  let history: History;
  let table: ObjectTable;

  beforeAll(async () => {
    history = await randomHistory({ format, seed: 9, commits: 140 });
    const { commits } = history;
    // The same objects in several packs in different forms: whole, as deltas of one another, with ids and with offsets.
    const pack = async (window: number, offsets: string, ...revisions: readonly (string | undefined)[]) => {
      const flags = [`--window=${window}`, "--depth=50", "-q", "--revs", ...(offsets ? [offsets] : [])];
      await git(["pack-objects", ...flags, join(history.directory, "objects/pack/pack")], {
        cwd: history.directory,
        input: `${revisions.join("\n")}\n`,
      });
    };
    await pack(0, "", commits[70]);
    await pack(40, "--delta-base-offset", commits[100], `^${commits[30]}`);
    await pack(40, "", commits[120]);
    await pack(5, "--delta-base-offset", commits[90], commits[110]);
    table = openTable(history.directory, format);
    expect(table.packs.length).toBeGreaterThan(3);
  });

  const modes = [
    { thin: false, ofsDelta: false },
    { thin: false, ofsDelta: true },
    { thin: true, ofsDelta: false },
    { thin: true, ofsDelta: true },
  ];

  it.each(modes)("hold what is asked for, %o", async (mode) => {
    const random = new Random(21);
    let deltas = 0;
    let thin = 0;
    for (let round = 0; round < 12; round++) {
      const haves = round < 3 ? [] : random.some(history.commits, 1 + random.below(3));
      const wants = random.some([...history.commits, ...history.tags], 1 + random.below(3));
      const { pack, summary } = make(table, { wants, haves, ...mode });
      const client = await clientWith(history, haves);
      if (mode.thin && (await tryGit(["index-pack", "--stdin"], { cwd: client, input: pack })).status !== 0)
        thin++;
      const entries = await take(client, pack, ...(mode.thin ? ["--fix-thin"] : ["--strict"]));
      if (!mode.thin) expect(entries).toHaveLength(summary.objects);
      else expect(entries.length).toBeGreaterThanOrEqual(summary.objects);
      expect(summary.reused).toBeLessThanOrEqual(summary.objects);
      deltas += summary.deltas;
      const repeated = entries.map((line) => line.slice(0, line.indexOf(" ")));
      expect(new Set(repeated).size).toBe(repeated.length);
      await expectConnected(client, wants);
    }
    expect(deltas).toBeGreaterThan(50);
    expect(thin > 0).toBe(mode.thin);
  });

  it("name bases by offset only where that was asked for", () => {
    const tip = history.commits.at(-1);
    expect(entryTypes(make(table, { wants: [tip], ofsDelta: false }).pack, format)).not.toContain(6);
  });

  it("are the stored pack itself when that is the answer", async () => {
    const directory = temporaryDirectory("whole");
    await git(["clone", "-q", "--mirror", history.directory, directory]);
    await git(["repack", "-adfq", "--depth=30"], { cwd: directory });
    const whole = openTable(directory, format);
    const [stored] = whole.packs;
    const wants = (await git(["for-each-ref", "--format=%(objectname)"], { cwd: directory })).split("\n");
    const { pack, summary } = make(whole, { wants, ofsDelta: true, thin: true });
    const bytes = new Uint8Array(stored?.source.size ?? 0);
    stored?.source.read(0, bytes);
    expect(Buffer.compare(pack, bytes)).toBe(0);
    expect(summary.reused).toBe(summary.objects);
    expect(make(whole, { wants, ofsDelta: false }).pack).not.toHaveLength(pack.length);
  });

  it("are the stored pack itself to a client that has all the others", async () => {
    const directory = temporaryDirectory("pushed");
    const { commits } = history;
    await git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
    const add = async (...revisions: readonly (string | undefined)[]) => {
      const { stdout } = await tryGit(["pack-objects", "-q", "--revs", "--stdout", "--delta-base-offset"], {
        cwd: history.directory,
        input: `${revisions.join("\n")}\n`,
      });
      await git(["index-pack", "--stdin"], { cwd: directory, input: Buffer.from(stdout, "latin1") });
    };
    await add(commits[20]);
    await add(commits[139], `^${commits[20]}`);
    const two = openTable(directory, format);
    const request = { wants: [commits[139]], haves: [commits[20]], ofsDelta: true };
    for (const thin of [false, true]) {
      const { pack } = make(two, { ...request, thin });
      const client = await clientWith(history, [commits[20] as string]);
      await take(client, pack, thin ? "--fix-thin" : "--strict");
      await expectConnected(client, [commits[139] as string]);
    }
  });

  it("come from packs of version 3", async () => {
    const tip = history.commits[139] as string;
    const directory = await clientWith(history, [tip]);
    const before = openTable(directory, format);
    const [stored] = before.packs;
    const bytes = new Uint8Array(stored?.source.size ?? 0);
    stored?.source.read(0, bytes);
    bytes[7] = 3;
    const body = bytes.subarray(0, bytes.length - (format === "sha1" ? 20 : 32));
    const hasher = createNodeHasher(format);
    hasher.update(body);
    const other = temporaryDirectory("version3");
    await git(["init", "-q", "--bare", `--object-format=${format}`, other]);
    await git(["index-pack", "--stdin"], { cwd: other, input: concat(body, hasher.digest()) });
    const { pack, summary } = make(openTable(other, format), { wants: [tip], ofsDelta: true });
    expect(pack[7]).toBe(2);
    const client = await clientWith(history, []);
    expect(await take(client, pack, "--strict")).toHaveLength(summary.objects);
    await expectConnected(client, [tip]);
  });

  it("come from loose objects", async () => {
    const tip = history.commits[60] as string;
    const { stdout } = await tryGit(["pack-objects", "-q", "--revs", "--stdout"], {
      cwd: history.directory,
      input: `${tip}\n`,
    });
    const directory = temporaryDirectory("loose");
    await git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
    await git(["unpack-objects", "-q"], { cwd: directory, input: Buffer.from(stdout, "latin1") });
    const { pack, summary } = make(openTable(directory, format), { wants: [tip], ofsDelta: true });
    expect(summary).toMatchObject({ reused: 0, deltas: 0 });
    const client = await clientWith(history, []);
    expect(await take(client, pack, "--strict")).toHaveLength(summary.objects);
    await expectConnected(client, [tip]);
  });

  it("may be empty", async () => {
    const tip = history.commits[80] as string;
    const { pack, summary } = make(table, { wants: [tip], haves: [tip] });
    expect(summary.objects).toBe(0);
    expect(pack).toHaveLength(12 + (format === "sha1" ? 20 : 32));
    await git(["index-pack", "--stdin"], { cwd: await clientWith(history, []), input: pack });
  });

  it("bring the tags of what they hold along, and the tags on their chains", async () => {
    const { tags, git: run } = history;
    const candidates = await Promise.all(
      tags.map(async (tag) => ({ tag, peeled: await run("rev-parse", `${tag}^{}`) })),
    );
    const target = candidates[5]?.peeled as ObjectId; // a tag of a tag of a tag
    const { pack } = make(table, { wants: [target], tags: candidates });
    const client = await clientWith(history, []);
    const entries = await take(client, pack, "--strict");
    const held = new Set(entries.map((line) => line.slice(0, line.indexOf(" "))));
    for (const { tag, peeled } of candidates) expect(held.has(tag), tag).toBe(held.has(peeled));
    expect([tags[0], tags[4], tags[5]].every((tag) => held.has(tag as string))).toBe(true);
  });

  it("tell in git's words what is done", () => {
    const { events } = make(table, { wants: [history.commits[100]], progress: true });
    const text = events.map((event) => (event.kind === "progress" ? event.text : "")).join("");
    expect(text).toMatch(
      /^Enumerating objects: \d+, done\.\nCounting objects: 100% \((\d+)\/\1\), done\.\nTotal /,
    );
    const silent = make(table, { wants: [history.commits[100]] });
    expect(silent.events.some((event) => event.kind === "progress")).toBe(false);
  });

  it("are refused when something on the way is missing", () => {
    const absent = "1".repeat(format === "sha1" ? 40 : 64);
    expect(() => make(table, { wants: [absent] })).toThrow(
      expect.objectContaining({ code: "pack/missing-object" }),
    );
  });
});

/** Types of the entries of a pack. */
function entryTypes(pack: Uint8Array, format: ObjectFormat): number[] {
  const path = join(temporaryDirectory("types"), "pack");
  writeFileSync(path, pack);
  const types: number[] = [];
  const codec = createNodeZlibCodec();
  const inflater = codec.createInflater();
  const sink = new Uint8Array(1 << 20);
  const idLength = format === "sha1" ? 20 : 32;
  for (let at = 12; at < pack.length - idLength; ) {
    const type = ((pack[at] as number) >> 4) & 7;
    types.push(type);
    while ((pack[at++] as number) & 0x80);
    if (type === 6) while ((pack[at++] as number) & 0x80);
    if (type === 7) at += idLength;
    inflater.reset();
    inflater.write(pack, at, pack.length, sink, 0);
    at += inflater.consumed;
  }
  return types;
}
