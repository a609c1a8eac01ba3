import { readFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { expect, it } from "vitest";
import { expectSound, leftoversIn } from "./compare.ts";
import { grow, makeRich } from "./fixtures.ts";
import { httpRequest, packet, RawClient, request } from "./raw-client.ts";
import { startServer } from "./server.ts";

/** `DRILL=full` asks for a thousand rounds of each kind. */
const ROUNDS = process.env.DRILL === "full" ? 1000 : 40;
const SEED = Number(process.env.DRILL_SEED ?? 1);

/** Numbers below `below` that are the same every time. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor(((state >>> 8) / 0x1000000) * below);
  };
}

/** A change or several to what a client would have sent. */
function mutated(bytes: Buffer, roll: (below: number) => number): Buffer {
  let all = Buffer.from(bytes);
  for (let times = 1 + roll(3); times > 0 && all.length > 0; times--) {
    const at = roll(all.length);
    const length = 1 + roll(Math.min(64, all.length - at));
    const [head, part, tail] = [
      all.subarray(0, at),
      all.subarray(at, at + length),
      all.subarray(at + length),
    ];
    const ways = [
      () => all.fill((all[at] as number) ^ (1 << roll(8)), at, at + 1),
      () => all.fill(roll(256), at, at + 1),
      () => Buffer.concat([head, tail]),
      () => Buffer.concat([head, part, part, tail]),
      () => Buffer.concat([head, Buffer.alloc(length, roll(256)), tail]),
      () =>
        Buffer.concat([
          head,
          Buffer.from(["0000", "0001", "0002", "0003", "0004", "fff0"][roll(6)] as string),
          tail,
        ]),
      () => Buffer.concat([all.subarray(roll(all.length)), head]),
      () => head,
    ];
    all = Buffer.from((ways[roll(ways.length)] as () => Buffer)());
  }
  return all;
}

const root = temporaryDirectory("root");
const repository = `${root}/repo.git`;
await makeRich(repository, "sha1");
await git(["config", "receive.advertisePushOptions", "true"], { cwd: repository });
const source = `${temporaryDirectory("source")}/s.git`;
await git(["clone", "-q", "--bare", repository, source]);
const tip = await grow(source, "main", 4);
const base = await git(["rev-parse", "main"], { cwd: repository });
const lonely = await git(["rev-parse", "lonely"], { cwd: repository });
const made = await git(["pack-objects", "-q", "--revs", `${source}/made`], {
  cwd: source,
  input: `${tip}\n^${base}\n`,
});
const pack = readFileSync(`${source}/made-${made}.pack`);
const server = await startServer(root);
const zero = "0".repeat(40);
const words = (more: string) => `\0report-status side-band-64k object-format=sha1${more}`;
const sessions = [
  Buffer.concat([Buffer.from(`${packet(`${base} ${tip} refs/heads/main${words("")}`)}0000`), pack]),
  Buffer.concat([
    Buffer.from(
      `${packet(`${zero} ${tip} refs/heads/new${words(" atomic push-options")}`)}${packet(`${lonely} ${zero} refs/heads/lonely`)}0000${packet("an option")}0000`,
    ),
    pack,
  ]),
  Buffer.from(
    `${packet(`shallow ${base}\n`)}${packet(`${lonely} ${zero} refs/heads/lonely${words("")}`)}0000`,
  ),
];

it(`${ROUNDS} pushes that were changed on their way, over each transport`, async () => {
  const roll = dice(SEED);
  let resting = 0;
  const taken = { ok: 0, ng: 0, said: 0, silent: 0 };
  for (let round = 0; round < ROUNDS * 3; round++) {
    // By then its threads run, and its code is compiled.
    if (round === ROUNDS) resting = server.residentBytes();
    const body = mutated(sessions[roll(sessions.length)] as Buffer, roll);
    let said = "";
    if (round % 3 === 2) {
      const type = { "Content-Type": "application/x-git-receive-pack-request" };
      const client = new RawClient(server.http).send(
        httpRequest("POST", "/repo.git/git-receive-pack", type, body),
      );
      said = await client.answer();
    } else {
      const client = new RawClient(server.git).send(request("git-receive-pack", "/repo.git", round % 3));
      await client.until(/0000$/);
      const at = client.received.length;
      said = (await client.send(body).finish().answer()).slice(at);
    }
    taken[/ok refs/.test(said) ? "ok" : /ng refs/.test(said) ? "ng" : said === "" ? "silent" : "said"]++;
    expect(server.alive(), `round ${round} of seed ${SEED}`).toBe(true);
    if (/ng refs|ERR /.test(said) && !/ok refs/.test(said)) continue;
    // What was taken, with a report or without, is undone for the next.
    await git(["update-ref", "refs/heads/main", base], { cwd: repository });
    await git(["update-ref", "refs/heads/lonely", lonely], { cwd: repository });
    await tryGit(["update-ref", "-d", "refs/heads/new"], { cwd: repository });
  }
  if (process.env.DRILL === "full") console.log(JSON.stringify(taken));
  expect(taken.ng).toBeGreaterThan(0);
  await expect.poll(() => leftoversIn(root), { timeout: 10_000 }).toEqual([]);
  await expectSound(repository);
  expect((await tryGit(["ls-remote", `${server.git}/repo.git`])).status).toBe(0);
  expect((server.residentBytes() - resting) / 1024 / 1024).toBeLessThan(128);
}, 900_000);
