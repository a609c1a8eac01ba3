import { git, temporaryDirectory } from "@tooling/test-kit";
import type { ReceiveLimits } from "@x/objects";
import { createGitService, DEFAULT_LIMITS, type Limits, ServiceError } from "@x/server-core";
import { createRepositoryOpener, createWorkerPool, repositoriesUnder } from "@x/storage-fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { basics, commitText, hexOf, row } from "../../../packages/pack/test/case-objects.ts";
import {
  appending,
  bytesOf,
  concat,
  ofsDelta,
  packOf,
  whole,
} from "../../../packages/pack/test/pack-builder.ts";
import { leftoversIn, objectsOf, refsOf } from "./compare.ts";
import { emptyWithStored } from "./pack-verdicts.ts";
import { packet } from "./raw-client.ts";
import { unbanded } from "./raw-push.ts";

const { commit, commitId, tree, treeId, base, other, baseSize, hash } = basics("sha1");
const zero = "0".repeat(40);
const MIB = 1024 * 1024;
const root = temporaryDirectory("root");
const repository = `${root}/repo.git`;
await emptyWithStored(repository, "sha1");
await git(["config", "receive.advertisePushOptions", "true"], { cwd: repository });
await git(["config", "receive.certNonceSeed", "seed"], { cwd: repository });
const pool = createWorkerPool({ heavyWorkers: 1 });
afterAll(() => pool.close());
const opener = createRepositoryOpener(pool);
const repositories = repositoriesUnder(root);

/** A push that is taken where only the usual limits hold. */
interface Request {
  readonly before?: string;
  readonly commands?: readonly string[];
  readonly words?: string;
  readonly after?: string;
  readonly pack?: Uint8Array;
}

const good = packOf([commit, tree, base, other]);
const more = (size: number) => appending(size, bytesOf("more\n"));
/** Two deltas on top of each other beside what is good. */
const [first, second] = [ofsDelta(base.length, more(baseSize)), more(baseSize + 5)];
const withDeltas = packOf([commit, tree, other, base, first, ofsDelta(first.length, second)]);
/** Its deltas make 120 MiB. */
const large = new Uint8Array(3 * 1024 * 1024);
const costly = packOf([
  commit,
  tree,
  base,
  other,
  whole("blob", large),
  ...onOne(whole("blob", large).length),
]);
/** One base that is too large to be held. */
const huge = new Uint8Array(9 * MIB);
const spilling = packOf([
  commit,
  tree,
  base,
  other,
  whole("blob", huge),
  ofsDelta(whole("blob", huge).length, appending(huge.length, bytesOf("!"))),
]);
function onOne(distance: number): Uint8Array[] {
  const deltas: Uint8Array[] = [];
  for (let i = 0, behind = distance; i < 40; i++) {
    const entry = ofsDelta(behind, appending(large.length, bytesOf(`${i}`)));
    deltas.push(entry);
    behind += entry.length;
  }
  return deltas;
}
const outerTree = row("40000", "below", treeId);
const outerCommit = commitText(hash("tree", outerTree));
const nested = packOf([whole("commit", outerCommit), whole("tree", outerTree), tree, base, other]);
const tip = hexOf(commitId);

async function push(limits: Partial<Limits>, mode: "duplex" | "rpc", request: Request) {
  const { before = "", words = "", after = "", pack = good } = request;
  const { commands = [`${zero} ${tip} refs/heads/good`] } = request;
  const lines = commands.map((line, i) =>
    packet(i > 0 ? line : `${line}\0 report-status side-band-64k object-format=sha1${words}`),
  );
  const bytes = concat(Buffer.from(`${before}${lines.join("")}0000${after}`, "latin1"), pack);
  const service = createGitService({
    repositories: async (call) => {
      const layout = await repositories.find(call.repository);
      return layout && opener.open(layout);
    },
    services: ["git-receive-pack"],
    limits,
  });
  async function* input() {
    yield bytes.slice();
  }
  const call = {
    service: "git-receive-pack",
    repository: "/repo.git",
    version: 0,
    mode,
    transport: "test",
    peer: { address: "192.0.2.1" },
    input: input(),
    signal: new AbortController().signal,
  } as const;
  let said = "";
  try {
    for await (const chunk of service(call)) said += Buffer.from(chunk).toString("latin1");
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return `${error.code}: ${error.message}`;
  }
  const report = mode === "duplex" ? said.slice(said.indexOf("0000") + 4) : said;
  return unbanded(report).replaceAll(/\[[^\]]*\]/g, "");
}

const receive = (limits: Partial<ReceiveLimits>) => ({ receive: { ...DEFAULT_LIMITS.receive, ...limits } });
const unpack = (why: string) => `unpack ${why}\nng refs/heads/good unpacker error\n`;
const over = (name: string, max: number) => new RegExp(`^server-core/limit-exceeded: .*${name} \\(${max}\\b`);
const options = (...texts: string[]) => ({
  words: " push-options",
  after: `${texts.map(packet).join("")}0000`,
});
const two = [`${zero} ${tip} refs/heads/good`, `${zero} ${tip} refs/heads/better`];
const certificate = `${packet("push-cert\0 report-status side-band-64k object-format=sha1")}${packet("certificate version 0.1\n")}${packet("x".repeat(500))}`;

/** The limit, what just does, what does not, how that is told, and what is pushed when it is not the usual. */
type Row = [string, Partial<Limits>, Partial<Limits>, string | RegExp, Request?];
const ROWS: readonly Row[] = [
  ["maxCommandBytes", { maxCommandBytes: 200 }, { maxCommandBytes: 100 }, over("maxCommandBytes", 100)],
  ["maxCommands", { maxCommands: 2 }, { maxCommands: 1 }, over("maxCommands", 1), { commands: two }],
  [
    "maxPushOptions",
    { maxPushOptions: 2 },
    { maxPushOptions: 1 },
    over("maxPushOptions", 1),
    options("one", "two"),
  ],
  [
    "maxPushOptionBytes",
    { maxPushOptionBytes: 30 },
    { maxPushOptionBytes: 10 },
    over("maxPushOptionBytes", 10),
    options("one", "another one"),
  ],
  [
    "maxRefNameBytes",
    { maxRefNameBytes: 15 },
    { maxRefNameBytes: 14 },
    "unpack ok\nng refs/heads/good failed to update ref\n",
  ],
  [
    "maxRefComponentBytes",
    { maxRefComponentBytes: 6 },
    { maxRefComponentBytes: 5 },
    "unpack ok\nng refs/heads/better failed to update ref\n",
    { commands: [`${zero} ${tip} refs/heads/better`] },
  ],
  [
    "receive.maxPackBytes",
    receive({ maxPackBytes: good.length }),
    receive({ maxPackBytes: good.length - 1 }),
    unpack(`pack exceeds maximum allowed size (${good.length - 1} bytes)`),
  ],
  [
    "receive.maxObjects",
    receive({ maxObjects: 4 }),
    receive({ maxObjects: 3 }),
    unpack("pack has 4 objects, more than the allowed 3"),
  ],
  [
    "receive.maxObjectBytes",
    receive({ maxObjectBytes: 500 }),
    receive({ maxObjectBytes: 50 }),
    unpack("object exceeds maximum allowed size (50 bytes)"),
  ],
  [
    "receive.maxDeltaObjectBytes",
    receive({ maxDeltaObjectBytes: baseSize + 10 }),
    receive({ maxDeltaObjectBytes: baseSize + 9 }),
    unpack(`delta base or result exceeds maximum allowed size (${baseSize + 9} bytes)`),
    { pack: withDeltas },
  ],
  [
    "receive.maxSpillBytes",
    receive({ maxSpillBytes: 9 * MIB }),
    receive({ maxSpillBytes: 9 * MIB - 1 }),
    unpack(`large delta bases take up more room than receive.maxSpillBytes (${9 * MIB - 1} bytes)`),
    { pack: spilling },
  ],
  [
    "receive.maxParsedBytes",
    receive({ maxParsedBytes: 500 }),
    receive({ maxParsedBytes: 50 }),
    unpack("commit, tree or tag exceeds maximum allowed size (50 bytes)"),
  ],
  [
    "receive.maxInflatedBytes",
    receive({ maxInflatedBytes: 1000 }),
    receive({ maxInflatedBytes: 100 }),
    unpack("pack exceeds maximum allowed inflated size (100 bytes)"),
  ],
  [
    "receive.maxDeltaDepth",
    receive({ maxDeltaDepth: 2 }),
    receive({ maxDeltaDepth: 1 }),
    unpack("delta chain exceeds maximum allowed depth (1)"),
    { pack: withDeltas },
  ],
  [
    "receive.maxTreeDepth",
    receive({ maxTreeDepth: 1 }),
    receive({ maxTreeDepth: 0 }),
    "unpack ok\nng refs/heads/good missing necessary objects\n",
    { pack: nested, commands: [`${zero} ${hexOf(hash("commit", outerCommit))} refs/heads/good`] },
  ],
  [
    "receive.maxCpuMs",
    receive({ maxCpuMs: 60_000 }),
    receive({ maxCpuMs: 20, maxCpuMsPerMib: 0, maxCpuUsPerObject: 0 }),
    unpack("the request takes more processor time than receive.maxCpuMs (20 ms)"),
    { pack: costly },
  ],
];

describe.each(["duplex", "rpc"] as const)("a push in a %s call", (mode) => {
  let refs: readonly string[];
  let objects = 0;
  beforeAll(async () => {
    refs = await refsOf(repository);
    objects = (await objectsOf(repository)).length;
  });
  afterEach(async () => {
    for (const name of ["good", "better"])
      await git(["update-ref", "-d", `refs/heads/${name}`], { cwd: repository });
    await git(["repack", "-adq"], { cwd: repository });
    await git(["prune", "--expire=now"], { cwd: repository });
  });

  /** Nothing of a push is there. */
  async function expectNothing(): Promise<void> {
    expect(leftoversIn(root)).toEqual([]);
    expect(await refsOf(repository)).toEqual(refs);
    expect((await objectsOf(repository)).length).toBe(objects);
  }

  it.each(ROWS)("keeps within %s", async (...cells) => {
    const [, enough, tooFew, told, request = {}] = cells as Row;
    const said = await push(tooFew, mode, request);
    if (typeof told === "string") expect(said).toBe(told);
    else expect(said).toMatch(told);
    await expectNothing();
    expect(await push(enough, mode, request)).toMatch(/^unpack ok\n(?:ok refs\/heads\/\w+\n)+$/);
    await expect.poll(() => leftoversIn(root)).toEqual([]);
  });

  it("keeps within maxShallows and maxPushCertBytes", async () => {
    const shallow = `${packet(`shallow ${tip}`)}${packet(`shallow ${hexOf(treeId)}`)}`;
    expect(await push({ maxShallows: 1 }, mode, { before: shallow })).toMatch(over("maxShallows", 1));
    const signed = { before: certificate, commands: [] };
    expect(await push({ maxPushCertBytes: 300 }, mode, signed)).toMatch(over("maxPushCertBytes", 300));
    await expectNothing();
  });
});
