import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appending, bytesOf, ofsDelta, packOf, whole } from "../../../packages/pack/test/pack-builder.ts";
import { leftoversIn, refsOf } from "./compare.ts";
import { emptyWithStored, PackCourt } from "./pack-verdicts.ts";
import { PUSHES, rawPush } from "./raw-push.ts";
import { startServer } from "./server.ts";

const MIB = 1024 * 1024;
const FULL = process.env.DRILL === "full";
const zero = "0".repeat(40);

/** A few KiB in which deltas make `count` blobs of `size` bytes. */
function spread(size: number, count: number): Uint8Array {
  const base = whole("blob", new Uint8Array(size));
  const entries = [base];
  let sum = base.length;
  for (let i = 0; i < count; i++) {
    const entry = ofsDelta(sum, appending(size, bytesOf(`${i}`)));
    entries.push(entry);
    sum += entry.length;
  }
  return packOf(entries);
}

describe("a pack within all other limits that costs much", () => {
  let court: PackCourt;
  beforeAll(async () => {
    court = await PackCourt.open("sha1");
  });
  afterAll(() => court.close());

  it("is taken in as far as what came in is worth it", async () => {
    const pack = spread(3 * MIB, 100);
    const [cpu, more] = [{ maxCpuMs: 50 }, 60_000];
    const { accepted, reason } = await court.ours(pack, undefined, cpu);
    expect([accepted, reason]).toEqual([
      false,
      "the request takes more processor time than receive.maxCpuMs (50 ms)",
    ]);
    const perObject = { ...cpu, maxCpuUsPerObject: (more * 1000) / 100 };
    expect((await court.ours(pack, undefined, perObject)).accepted).toBe(true);
    const perMib = { ...cpu, maxCpuMsPerMib: more * (MIB / pack.length) };
    expect((await court.ours(pack, undefined, perMib)).accepted).toBe(true);
    expect(leftoversIn(court.directory)).toEqual([]);
  }, 60_000);

  // Some five seconds of a processor each, where there is one to be had.
  it.each(FULL ? PUSHES : [])(
    "is given up when pushed over %s, and others are served meanwhile",
    async (transport) => {
      const root = temporaryDirectory("root");
      await emptyWithStored(`${root}/repo.git`, "sha1");
      await git(["config", "http.receivepack", "true"], { cwd: `${root}/repo.git` });
      const server = await startServer(root);
      const refs = await refsOf(`${root}/repo.git`);
      const started = performance.now();
      const commands = [`${zero} ${"1".repeat(40)} refs/heads/evil`];
      const pushed = rawPush(server, transport, {
        path: "/repo.git",
        commands,
        pack: spread(15 * MIB, 3500),
      });
      for (let i = 0; i < 5; i++)
        expect((await tryGit(["ls-remote", `${server.git}/repo.git`], { timeoutMs: 5000 })).status).toBe(0);
      expect(await pushed).toMatch(
        /unpack the request takes more processor time than receive\.maxCpuMs \(\d+ ms\)\nng refs\/heads\/evil unpacker error\n$/,
      );
      console.log(`given up after ${Math.round(performance.now() - started)} ms`);
      expect(leftoversIn(root)).toEqual([]);
      expect(await refsOf(`${root}/repo.git`)).toEqual(refs);
      expect(server.residentBytes()).toBeLessThan(300 * MIB);
    },
    300_000,
  );
});
