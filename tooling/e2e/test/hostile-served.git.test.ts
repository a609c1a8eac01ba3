import { readFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packCases } from "../../../packages/pack/test/pack-cases.ts";
import { expectSound, leftoversIn, objectsOf, refsOf } from "./compare.ts";
import { emptyWithStored, PackCourt } from "./pack-verdicts.ts";
import { PUSHES, type PushTransport, rawPush } from "./raw-push.ts";
import { type Server, startServer } from "./server.ts";

/** `DRILL=full` asks for all of it, which takes minutes. */
const FULL = process.env.DRILL === "full";
const MIB = 1024 * 1024;

/** What the server may grow by. */
const ALLOWED_MIB = 128;

/** What a process has cost so far: where much else runs, the time of day says little. */
function cpuMs(pid: number): number {
  const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ");
  const [user = 0, system = 0] = rest.split(" ").slice(11, 13).map(Number);
  return (user + system) * 10; // ticks of 10 ms
}

describe.each<ObjectFormat>(["sha1", "sha256"])("packs of %s with a name, pushed", (format) => {
  const root = temporaryDirectory("root");
  const repository = `${root}/repo.git`;
  const zero = "0".repeat(format === "sha1" ? 40 : 64);
  const nowhere = zero.replaceAll("0", "e");
  let server: Server;
  let court: PackCourt;
  let refs: readonly string[];
  let objects = 0;
  let peak = 0;
  let watch: NodeJS.Timeout;

  beforeAll(async () => {
    await emptyWithStored(repository, format);
    await git(["config", "http.receivepack", "true"], { cwd: repository });
    [court, server] = await Promise.all([PackCourt.open(format), startServer(root)]);
    refs = await refsOf(repository);
    objects = (await objectsOf(repository)).length;
    for (const transport of PUSHES) await push(transport, new Uint8Array(12), [nowhere]);
    watch = setInterval(() => {
      peak = Math.max(peak, server.residentBytes());
    }, 20);
  }, 30_000);
  afterAll(() => {
    clearInterval(watch);
    return court.close();
  });

  /** Pushes `pack` with a ref for each of `tips`, all or none of them. */
  function push(transport: PushTransport, pack: Uint8Array, tips: readonly string[]): Promise<string> {
    const commands = tips.map((id, i) => `${zero} ${id} refs/tags/evil-${i}`);
    const words = ` atomic object-format=${format}`;
    return rawPush(server, transport, { path: "/repo.git", commands, words, pack });
  }

  /** What is wrong with how one of them was answered. */
  async function wrongWith(transport: PushTransport, pack: Uint8Array): Promise<string | undefined> {
    const { reason, unconnected } = await court.ours(pack);
    const before = cpuMs(server.pid);
    // Where all is well but what they refer to, one of these is enough to refuse all.
    const report = await push(transport, pack, reason === "unconnected" ? unconnected : [nowhere]);
    const ms = cpuMs(server.pid) - before;
    const said = report.replaceAll(/\[[^\]]*\]/g, "");
    if (ms > 5000) return `it took ${ms} ms of processors`;
    if (!server.alive()) return "the server died";
    if (/^ok /m.test(said)) return `it is taken: ${said}`;
    const isTaken = reason === "" || reason === "unconnected";
    const isAboutRest = reason === "garbage after the pack";
    if (isTaken || (isAboutRest && transport === "git"))
      return /^unpack ok\n(?:ng refs\/tags\/evil-\d+ [^\n]+\n)+$/.test(said) ? undefined : `it says ${said}`;
    // Where the objects are looked at, the reason is told beside the report, as by git.
    const isNamed =
      said.startsWith(`unpack ${reason}\n`) || said.startsWith("unpack index-pack abnormal exit\n");
    return isNamed && /\nng refs\/tags\/evil-0 unpacker error\n$/.test(said)
      ? undefined
      : `not ${reason}, but ${said}`;
  }

  it.each(PUSHES)(
    "over %s are refused with the reason, and leave nothing",
    async (transport) => {
      const all = packCases(format).filter(({ isLarge }) => FULL || !isLarge);
      const first = (format === "sha1" ? 0 : 2) + (transport === "git" ? 0 : 1);
      const cases = all.filter((_, i) => FULL || i % 4 === first);
      const wrong: string[] = [];
      const most = { name: "", mib: 0 };
      for (const { name, make } of cases) {
        const resting = server.residentBytes();
        peak = resting;
        const problem = await wrongWith(transport, make());
        if (problem !== undefined) wrong.push(`${name}: ${problem}`);
        const left = leftoversIn(root);
        if (left.length > 0) wrong.push(`${name}: left ${left}`);
        const mib = (peak - resting) / MIB;
        if (mib > most.mib) Object.assign(most, { name, mib });
        if (mib > ALLOWED_MIB) wrong.push(`${name}: +${Math.round(mib)} MiB`);
      }
      if (FULL) console.log(`${cases.length} packs, most memory: ${most.name}, +${Math.round(most.mib)} MiB`);
      expect(wrong).toEqual([]);
      expect(await refsOf(repository)).toEqual(refs);
      expect((await objectsOf(repository)).length).toBe(objects);
      expect((await tryGit(["ls-remote", `${server[transport]}/repo.git`])).status).toBe(0);
      await expectSound(repository);
    },
    600_000,
  );
});
