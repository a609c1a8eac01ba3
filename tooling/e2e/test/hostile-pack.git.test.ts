import { readFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterEach, describe, expect, it } from "vitest";
import { HOSTILE_PACKS } from "../../../packages/pack/test/hostile-packs.ts";
import { resealed } from "../../../packages/pack/test/pack-builder.ts";
import { expectSound, leftoversIn, objectsOf, refsOf } from "./compare.ts";
import { grow, makeRich } from "./fixtures.ts";
import { packet, RawClient, request } from "./raw-client.ts";
import { PUSHES, type PushTransport, rawPush } from "./raw-push.ts";
import { startServer } from "./server.ts";

const root = temporaryDirectory("root");
const repository = `${root}/repo.git`;
await makeRich(repository, "sha1");
const server = await startServer(root);
const [refs, objects] = [await refsOf(repository), await objectsOf(repository)];
const zero = "0".repeat(40);

/** A good push: one commit on top of main, as C git packs it. */
const source = `${temporaryDirectory("source")}/s.git`;
await git(["clone", "-q", "--bare", repository, source]);
const tip = await grow(source, "main", 4);
const base = await git(["rev-parse", "main"], { cwd: repository });
const packed = await git(["pack-objects", "-q", "--revs", `${source}/made`], {
  cwd: source,
  input: `${tip}\n^${base}\n`,
});
const pack = readFileSync(`${source}/made-${packed}.pack`);

/** The report on a pack that could not be taken in, after whatever was said on the other bands. */
const REFUSED = /^(?:\[[^\]]*\])*unpack (?!ok\n)[^\n]+\nng refs\/heads\/evil unpacker error\n$/;

const CAPABILITIES = "\0 report-status side-band-64k object-format=sha1";

/** Pushes bytes as `refs/heads/evil`. */
function push(
  transport: PushTransport,
  bytes: Uint8Array,
  commands: readonly string[] = [`${zero} ${tip} refs/heads/evil`],
): Promise<string> {
  return rawPush(server, transport, { path: "/repo.git", commands, pack: bytes });
}

afterEach(async () => {
  expect(server.alive()).toBe(true);
  expect(leftoversIn(root)).toEqual([]);
  expect(await refsOf(repository)).toEqual(refs);
  expect((await objectsOf(repository)).length).toBe(objects.length);
});

describe.each(PUSHES)("over %s", (transport) => {
  it.each(HOSTILE_PACKS.filter(({ pack: { length } }) => length < 8 * 1024 * 1024))(
    "a pack with $name",
    async ({ name, pack: bytes, verdict }) => {
      const report = await push(transport, bytes);
      // What follows the pack in a request is noticed; in a connection nobody reads it.
      const sound = verdict === "accepted" && !(transport === "http" && name.includes("after the trailer"));
      // Even a sound one does not bring the commit that was promised.
      if (sound) expect(report).toMatch(/unpack ok\nng refs\/heads\/evil missing necessary objects\n$/);
      else expect(report).toMatch(REFUSED);
      expect(report).not.toContain("unpack ok\nok");
      expect(report).not.toContain("tmp_objdir");
      expect(report).not.toContain(root);
    },
  );

  it("a good pack that is cut anywhere", async () => {
    const step = Math.max(1, Math.floor(pack.length / 50));
    for (let length = 0; length < pack.length; length += step) {
      const report = await push(transport, pack.subarray(0, length));
      expect(report, `${length} bytes`).toMatch(REFUSED);
    }
  });

  it("a good pack with a bit turned anywhere, its checksum made right again or not", async () => {
    const step = Math.max(1, Math.floor(pack.length / 40));
    for (let at = 0; at < pack.length; at += step)
      for (const sealed of [false, true]) {
        const bytes = Uint8Array.from(pack);
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
        if (sealed && at >= pack.length - 20) continue;
        const report = await push(transport, sealed ? resealed(bytes) : bytes);
        expect(report, `bit at ${at}`).not.toMatch(/^ok /m);
        expect(report, `bit at ${at}`).toMatch(/ng refs\/heads\/evil /);
      }
  });

  it("no pack, two packs, and words after the pack", async () => {
    expect(await push(transport, new Uint8Array(0))).toMatch(/ng refs\/heads\/evil unpacker error/);
    const partial = await git(["pack-objects", "-q", `${source}/part`], { cwd: source, input: `${tip}\n` });
    const onlyTip = readFileSync(`${source}/part-${partial}.pack`);
    expect(await push(transport, onlyTip)).toMatch(
      /^(?:\[[^\]]*\])*unpack ok\nng refs\/heads\/evil missing necessary objects\n$/,
    );
    if (transport === "http") {
      const twice = Buffer.concat([pack, pack]);
      expect(await push(transport, twice)).toMatch(/ng refs\/heads\/evil unpacker error/);
    }
  });

  it.each([
    "refs/heads/../../config",
    "../../etc/x",
    "HEAD",
    "config",
    "refs",
    "refs/",
    "refs/x",
    "/refs/heads/x",
    "refs/heads/x/",
    "refs/heads//x",
    "refs/heads/.x",
    "refs/heads/x.lock",
    "refs/heads/x.lock/y",
    "refs/heads/a..b",
    "refs/heads/x.",
    "refs/heads/a b",
    "refs/heads/a~b",
    "refs/heads/a^b",
    "refs/heads/a:b",
    "refs/heads/a?b",
    "refs/heads/a*b",
    "refs/heads/a[b",
    "refs/heads/a\\b",
    "refs/heads/a@{b",
    "refs/heads/a\x01b",
    "refs/heads/a\x7fb",
    "@",
  ])("the ref name %j", async (name) => {
    const report = await push(transport, pack, [`${zero} ${tip} ${name}`]);
    expect(report.replace(/\[[^\]]*\]/g, "")).toBe(`unpack ok\nng ${name} funny refname\n`);
  });

  it("names that are too long for a file or for the system", async () => {
    for (const name of [`refs/heads/${"a".repeat(300)}`, `refs/heads/${"a/".repeat(30_000)}b`]) {
      const report = await push(transport, EMPTY, [`${zero} ${base} ${name}`]);
      expect(report).toMatch(/unpack ok\n/);
      expect(report).toMatch(/ng refs\/heads\/a\S* \S/);
      expect(report).not.toMatch(/^ok /m);
    }
  });

  it("old values that are not true", async () => {
    for (const [old, id, ref, reason] of [
      [zero, base, "refs/heads/main", "reference already exists"],
      [tip, base, "refs/heads/main", "incorrect old value provided"],
      [base, base, "refs/heads/none", "reference does not exist"],
      [tip, zero, "refs/heads/lonely", "incorrect old value provided"],
      [zero, zero, "refs/heads/lonely", "incorrect old value provided"],
      [zero, "1".repeat(40), "refs/heads/evil", "missing necessary objects"],
      [
        zero,
        await git(["rev-parse", "main:grows"], { cwd: repository }),
        "refs/heads/evil",
        "invalid new value provided",
      ],
    ] as const) {
      const empty = id === zero ? new Uint8Array(0) : EMPTY;
      const report = await push(transport, empty, [`${old} ${id} ${ref}`]);
      expect(report.replace(/\[[^\]]*\]/g, "")).toBe(`unpack ok\nng ${ref} ${reason}\n`);
    }
  });

  it("one ref twice", async () => {
    const commands = [`${zero} ${tip} refs/heads/evil`, `${zero} ${base} refs/heads/evil`];
    const report = await push(transport, pack, commands);
    expect(report).toContain("multiple updates for ref 'refs/heads/evil' not allowed");
    expect(report.match(/ng refs\/heads\/evil failed to update refs/g)).toHaveLength(2);
  });

  it("another client's clone goes on meanwhile", async () => {
    const clone = `${temporaryDirectory("clone")}/c`;
    const cloning = tryGit(["clone", "-q", "--mirror", `${server.git}/repo.git`, clone]);
    await Promise.all(Array.from({ length: 8 }, (_, i) => push(transport, pack.subarray(0, 40 * (i + 1)))));
    expect((await cloning).status).toBe(0);
    await expectSound(clone);
  });

  it("a client that goes away in the middle of its pack", async () => {
    for (const length of [0, 12, 100, pack.length - 1]) {
      const client = new RawClient(server.git).send(request("git-receive-pack", "/repo.git"));
      await client.until(/0000$/);
      client.send(packet(`${zero} ${tip} refs/heads/evil${CAPABILITIES}`), "0000", pack.subarray(0, length));
      const gone = server.log().length;
      client.socket.resetAndDestroy();
      await expect
        .poll(() => /git-receive-pack \/repo.git/.test(server.log().slice(gone)), { timeout: 10_000 })
        .toBe(true);
      await expect.poll(() => leftoversIn(root), { timeout: 10_000 }).toEqual([]);
    }
  });
});

/** `PACK`, version 2, no objects. */
const EMPTY = Buffer.from("5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e", "hex");

describe("in the end", () => {
  it("memory is as it was, and the good push is taken", async () => {
    expect(server.residentBytes()).toBeLessThan(400 * 1024 * 1024);
    const other = `${temporaryDirectory("copy")}/r.git`;
    await git(["clone", "-q", "--mirror", `${server.git}/repo.git`, other]);
    const report = await push("git", pack);
    expect(report).toMatch(/unpack ok\nok refs\/heads\/evil\n$/);
    await expectSound(repository);
    expect(await git(["rev-parse", "evil"], { cwd: repository })).toBe(tip);
    await git(["push", "-q", `${server.http}/repo.git`, ":evil"], { cwd: other });
    await git(["prune", "--expire=now"], { cwd: repository });
    await git(["repack", "-adq"], { cwd: repository });
  });
});
