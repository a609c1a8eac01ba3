import { createHash } from "node:crypto";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import type { ObjectId } from "@x/objects";
import { encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { encodePack } from "./memory-objects.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, packetsOf, serve } from "./story.ts";
import { makeTwins, type Twins } from "./twins.ts";

/** A ref, and the names of what it is to hold before and after; `undefined` for nothing. */
type Command = readonly [ref: string, from: string | undefined, to: string | undefined];

interface Row {
  readonly name: string;
  readonly commands: readonly Command[];
  readonly caps?: string;
  readonly config?: Readonly<Record<string, string>>;
  /** There is a work tree. */
  readonly checkedOut?: boolean;
  /** C git before 2.51 goes about it in another way; or that from 2.51 on does, and this is how it was before. */
  readonly recent?: boolean;
}

const create = (ref: string, to = "main"): Command => [ref, undefined, to];

const ACCEPTED = [
  "refs/heads/@ refs/heads/-dash refs/heads/HEAD refs/heads/CON refs/replace/x refs/worktree/x refs/bisect/bad",
  'refs/heads/MAIN refs/heads/"q" refs/heads/$(id) refs/heads/x;id refs/heads/\xff\xfe refs/heads/__proto__ refs/a/b',
]
  .join(" ")
  .split(" ");
const FUNNY = [
  "HEAD config refs refs/ refs/x refs/stash refs/heads/../../config ../../etc/x /refs/heads/a refs/heads/a/ refs/heads//a",
  "refs/heads/.x refs/heads/x.lock refs/heads/x.lock/y refs/heads/a..b refs/heads/a. refs/heads/a~b refs/heads/a^b",
  "refs/heads/a:b refs/heads/a?b refs/heads/a*b refs/heads/a[b refs/heads/a\\b refs/heads/a@{b refs/heads/\x01 refs/heads/\x7f @",
]
  .join(" ")
  .split(" ");

const ROWS: readonly Row[] = [
  ...ACCEPTED.map((ref) => ({ name: `creates ${JSON.stringify(ref)}`, commands: [create(ref)] })),
  ...[...FUNNY, "refs/heads/a b"].map((ref) => ({
    name: `refuses ${JSON.stringify(ref)}`,
    commands: [create(ref)],
  })),
  { name: "fast-forward", commands: [["refs/heads/side", "side", "main"]] },
  { name: "rewind", commands: [["refs/heads/main", "main", "main~2"]] },
  { name: "delete", commands: [["refs/heads/side", "side", undefined]] },
  { name: "delete a tag", commands: [["refs/tags/v1", "v1", undefined]] },
  { name: "delete what is not there", commands: [["refs/heads/none", undefined, undefined]] },
  { name: "delete a sound value that is not there", commands: [["refs/heads/none", "main", undefined]] },
  { name: "a stale old value", commands: [["refs/heads/side", "main~1", "main"]] },
  { name: "a stale deletion", commands: [["refs/heads/side", "main~1", undefined]] },
  { name: "create what is there", commands: [create("refs/heads/side")] },
  { name: "update what is not there", commands: [["refs/heads/none", "main~1", "main"]] },
  { name: "a name below another", commands: [create("refs/heads/main/sub")] },
  { name: "a name above another", commands: [create("refs/heads")] },
  {
    name: "two names, one below",
    commands: [create("refs/heads/d"), create("refs/heads/d/e")],
    recent: false,
  },
  { name: "two names, one above", commands: [create("refs/heads/d/e"), create("refs/heads/d")] },
  {
    name: "delete a name to create one below it",
    commands: [create("refs/heads/side/x"), ["refs/heads/side", "side", undefined]],
    recent: true,
  },
  { name: "a tag on a branch", commands: [create("refs/heads/t", "v1")] },
  { name: "a tag as a tag", commands: [create("refs/tags/t", "v1")] },
  { name: "what is not there", commands: [create("refs/heads/t", "lost")] },
  {
    name: "some good, some bad",
    commands: [create("refs/heads/ok"), create("refs/x"), create("refs/tags/ok")],
  },
  { name: "twice the same", commands: [create("refs/heads/t"), create("refs/heads/t")], recent: true },
  {
    name: "twice the same, and others",
    commands: [create("refs/heads/t"), create("refs/tags/x"), create("refs/heads/t", "side")],
    recent: true,
  },
  { name: "a symbolic ref", commands: [["refs/heads/alias", "side", "main"]] },
  {
    name: "a symbolic ref and its target, the same",
    commands: [
      ["refs/heads/alias", "side", "main"],
      ["refs/heads/side", "side", "main"],
    ],
  },
  {
    name: "a symbolic ref and its target, not the same",
    commands: [
      ["refs/heads/alias", "side", "main"],
      ["refs/heads/side", "side", "main~1"],
      create("refs/heads/other"),
    ],
  },
  { name: "delete the current branch", commands: [["refs/heads/main", "main", undefined]] },
  ...["ignore", "warn", "refuse", "true", "false"].map((value) => ({
    name: `delete the current branch, ${value}`,
    commands: [["refs/heads/main", "main", undefined] as const],
    config: { "receive.denyDeleteCurrent": value },
  })),
  { name: "the checked out branch", commands: [["refs/heads/main", "main", "main~1"]], checkedOut: true },
  {
    name: "delete the checked out branch",
    commands: [["refs/heads/main", "main", undefined]],
    checkedOut: true,
  },
  ...["ignore", "warn", "refuse", "true", "false"].map((value) => ({
    name: `the checked out branch, ${value}`,
    commands: [["refs/heads/main", "main", "main~1"] as const],
    config: { "receive.denyCurrentBranch": value },
    checkedOut: true,
  })),
  {
    name: "denyDeletes",
    commands: [
      ["refs/heads/side", "side", undefined],
      ["refs/tags/light", "light", undefined],
    ],
    config: { "receive.denyDeletes": "true" },
  },
  {
    name: "denyNonFastForwards",
    commands: [
      ["refs/heads/main", "main", "main~2"],
      ["refs/heads/side", "side", "main"],
      ["refs/tags/light", "light", "main~5"],
      ["refs/heads/odd", "v1", "main"],
    ],
    config: { "receive.denyNonFastForwards": "true" },
    recent: true,
  },
  {
    name: "hidden refs",
    commands: [create("refs/secret/x"), ["refs/tags/v1", "v1", undefined], create("refs/heads/ok")],
    config: { "receive.hideRefs": "refs/secret", "transfer.hideRefs": "refs/tags" },
  },
  { name: "atomic, all good", commands: [create("refs/heads/a"), create("refs/heads/b")], caps: "atomic" },
  { name: "atomic, a bad name", commands: [create("refs/heads/a"), create("refs/x")], caps: "atomic" },
  {
    name: "atomic, two bad names",
    commands: [create("refs/y"), create("refs/heads/a"), create("refs/x")],
    caps: "atomic",
  },
  {
    name: "atomic, a stale value",
    commands: [create("refs/heads/a"), ["refs/heads/side", "main~1", "main"]],
    caps: "atomic",
  },
  {
    name: "atomic, no branch",
    commands: [create("refs/heads/a"), create("refs/heads/t", "v1")],
    caps: "atomic",
    recent: true,
  },
  {
    name: "atomic, a name that is to be made room for",
    commands: [create("refs/heads/side/x"), ["refs/heads/side", "side", undefined]],
    caps: "atomic",
  },
  { name: "atomic, twice", commands: [create("refs/heads/a"), create("refs/heads/a")], caps: "atomic" },
  {
    name: "atomic, not offered",
    commands: [create("refs/heads/a"), create("refs/x")],
    caps: "atomic",
    config: { "receive.advertiseAtomic": "false" },
  },
  { name: "no pack", commands: [create("refs/heads/a"), create("refs/heads/b")], caps: "lost-pack" },
  {
    name: "report version 2",
    commands: [create("refs/heads/a"), create("refs/x")],
    caps: "report-status-v2",
  },
];

/** C git's words for what its versions before 2.51 do not tell apart. */
const ONE_WORD =
  /(?<=^ng \S+ )(?:incorrect old value provided|reference already exists|reference does not exist|refname conflict|invalid new value provided|failed to update refs)$/;

const version = (await git(["version"])).replace(/^git version (\d+)\.(\d+).*/s, "$1.$2").split(".");
const isRecent = Number(version[0]) > 2 || Number(version[1]) >= 51;

function emptyPack(format: "sha1" | "sha256"): Uint8Array {
  const head = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  return Buffer.concat([head, createHash(format).update(head).digest()]);
}

function reportOf(stdout: string): string[] {
  return packetsOf(bandsOf(packetsOf(stdout)).data).map((line) => line.trimEnd());
}

function copyOf(ours: MemoryRepository, row: Row): MemoryRepository {
  const copy = new MemoryRepository(ours.objectFormat);
  for (const [id, object] of ours.objects.graph.stored) copy.objects.graph.stored.set(id, object);
  for (const [name, target] of ours.refs.stored) copy.refs.stored.set(name, target);
  for (const [key, value] of Object.entries(row.config ?? {})) copy.configure(key, value);
  copy.bare = row.checkedOut !== true;
  return copy;
}

async function refsOf(directory: string): Promise<string[]> {
  const list = await git(["--git-dir", directory, "for-each-ref", "--format=%(refname) %(objectname)"]);
  return list.split("\n").filter((line) => line !== "");
}

describe.each(["sha1", "sha256"] as const)("pushes beside stock git, %s", async (format) => {
  const twins: Twins = await makeTwins(format);
  const zero = "0".repeat(format === "sha1" ? 40 : 64);
  const id = (name: string | undefined): string =>
    name === undefined ? zero : name === "lost" ? "ab".repeat(zero.length / 2) : twins.id(name);

  it.each(ROWS.filter(({ recent = isRecent }) => recent === isRecent))("$name", async (row) => {
    const { commands, caps = "report-status", config = {}, checkedOut = false } = row;
    const known = caps.includes("report-status") ? caps : `report-status ${caps}`;
    const lines = commands.map(([ref, from, to], i) => {
      const words = i === 0 ? `\0 ${known} side-band-64k object-format=${format}` : "";
      return `${id(from)} ${id(to)} ${ref}${words}`;
    });
    const request = encodePackets([...lines, flush]);
    const bringsPack = commands.some(([, , to]) => to !== undefined) && caps !== "lost-pack";

    const directory = temporaryDirectory("push-oracle");
    const theirs = join(directory, checkedOut ? "work/.git" : "bare.git");
    cpSync(twins.gitDirectory, theirs, { recursive: true });
    await git(["--git-dir", theirs, "config", "core.bare", String(!checkedOut)]);
    for (const [key, value] of Object.entries(config)) await git(["--git-dir", theirs, "config", key, value]);
    const { stdout } = await tryGit(["receive-pack", "--stateless-rpc", theirs], {
      input: Buffer.concat([request, bringsPack ? emptyPack(format) : Buffer.alloc(0)]),
    });
    const ours = copyOf(twins.ours, row);
    const answer = await serve(ours, {
      service: "git-receive-pack",
      version: 0,
      input: [request, bringsPack ? encodePack([]) : ""],
    });

    const expected = reportOf(stdout);
    expect(expected[0]).toMatch(/^unpack /);
    const mine = reportOf(answer.text).map((line, i) =>
      isRecent || !expected[i]?.endsWith(" failed to update ref")
        ? line
        : line.replace(ONE_WORD, "failed to update ref"),
    );
    expect(mine).toEqual(expected);
    expect(answer.packets.at(-1)).toBe("flush");

    const left = [...ours.refs.stored].flatMap(([name, target]) =>
      name.startsWith("refs/") && target.kind === "id" ? [`${name} ${target.id satisfies ObjectId}`] : [],
    );
    const alias = (await refsOf(theirs)).filter((line) => !line.startsWith("refs/heads/alias "));
    expect(left.sort()).toEqual(alias.sort());
    expect(readFileSync(join(theirs, "HEAD"), "latin1")).toBe("ref: refs/heads/main\n");
    rmSync(directory, { recursive: true });
  });
});
