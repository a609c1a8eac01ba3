import { writeFileSync } from "node:fs";
import {
  createTestRepository,
  git,
  type TestRepository,
  temporaryDirectory,
  tryGit,
} from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal } from "./terminal.ts";

const ZERO = "0".repeat(40);

let source: TestRepository;
let first = "";
let second = "";
beforeAll(async () => {
  source = await createTestRepository({ objectFormat: "sha1" });
  const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`).join("\n");
  writeFileSync(`${source.directory}/big`, lines);
  await source.git("add", "big");
  first = await source.commit("first");
  writeFileSync(`${source.directory}/big`, `${lines}\nand one more`);
  await source.git("add", "big");
  second = await source.commit("second");
});

async function newRepository(): Promise<string> {
  const directory = `${temporaryDirectory("received")}/r.git`;
  await git(["init", "-q", "--bare", directory]);
  return directory;
}

function environment(env: Readonly<Record<string, string>>): Record<string, string> {
  return { HOME: temporaryDirectory("home"), GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_COUNT: "0", ...env };
}

async function ours(args: readonly string[], input: string, env: Readonly<Record<string, string>> = {}) {
  const terminal = new FakeTerminal(environment(env), input);
  const status = await main(["receive-pack", ...args], terminal);
  return { status, out: terminal.out, err: terminal.err };
}

function packet(text: string): string {
  return (text.length + 4).toString(16).padStart(4, "0") + text;
}

/** What a client sends to set `refs/heads/main`. */
async function pushOf(from: string, to: string, revisions: string, ...flags: string[]): Promise<string> {
  const pack = await git(["pack-objects", "--revs", "--stdout", "-q", ...flags], {
    cwd: source.directory,
    input: revisions,
  });
  return `${packet(`${from} ${to} refs/heads/main\0report-status`)}0000${pack}`;
}

describe("flags of git-receive-pack", () => {
  it("--skip-connectivity-check believes that all is there", async () => {
    const directory = await newRepository();
    const push = await pushOf(ZERO, second, `${second}\n^${first}\n`);
    const args = ["--stateless-rpc", directory];
    expect((await ours(args, push)).out).toContain("ng refs/heads/main missing necessary objects");
    const { status, out, err } = await ours(["--skip-connectivity-check", ...args], push);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toContain("ok refs/heads/main");
    await git(["cat-file", "-e", second], { cwd: directory });
  });

  it("--reject-thin-pack-for-testing refuses deltas without their bases", async () => {
    const directory = await newRepository();
    const args = ["--stateless-rpc", directory];
    expect((await ours(args, await pushOf(ZERO, first, `${first}\n`))).out).toContain("ok refs/heads/main");
    const thin = await pushOf(first, second, `${second}\n^${first}\n`, "--thin");
    const refused = await ours(["--reject-thin-pack-for-testing", ...args], thin);
    expect(refused.out).toMatch(/unpack .+\n.*ng refs\/heads\/main unpacker error/s);
    const whole = await pushOf(first, second, `${second}\n^${first}\n`, "--no-reuse-delta", "--depth=0");
    const taken = await ours(["--reject-thin-pack-for-testing", ...args], whole);
    expect(taken.out).toContain("ok refs/heads/main");
  });
});

describe("settings of git-receive-pack", () => {
  it.each([
    "receive.denyCurrentBranch=x",
    "receive.denyCurrentBranch=updateinstead",
    "receive.denyCurrentBranch",
    "receive.denyDeleteCurrent=maybe",
    "receive.certNonceSeed",
    "receive.maxInputSize=1x",
    "receive.certNonceSlop=-1",
  ])("%s", async (setting) => {
    const directory = await newRepository();
    const args = ["receive-pack", "--advertise-refs", directory];
    const expected = await tryGit(["-c", setting, ...args], { env: environment({}) });
    const { status, err } = await ours(args.slice(1), "", { GIT_CONFIG_PARAMETERS: `'${setting}'` });
    expect({ status, err }).toEqual({ status: expected.status, err: expected.stderr });
  });

  // Older versions of git end on these without a word.
  it.each(["receive.fsck.skiplist", "receive.fsck.missingemail"])("%s without a value", async (key) => {
    const args = ["--advertise-refs", await newRepository()];
    expect(await ours(args, "", { GIT_CONFIG_PARAMETERS: `'${key}'` })).toEqual({
      status: 128,
      out: "",
      err: `error: missing value for '${key}'\nfatal: unable to parse '${key}' from command-line config\n`,
    });
  });

  it.each([
    ["", true],
    ["transfer.unpackLimit=3", false],
    ["transfer.unpackLimit=100", true],
    ["transfer.unpackLimit=0", false],
    ["transfer.unpackLimit=0 receive.unpackLimit=100", true],
    ["transfer.unpackLimit=100 receive.unpackLimit=1", false],
  ])("%j unpacks a push: %s", async (settings, unpacks) => {
    const directory = await newRepository();
    for (const setting of settings.split(" "))
      if (setting !== "") await git(["config", ...setting.split("=")], { cwd: directory });
    const { out } = await ours(["--stateless-rpc", directory], await pushOf(ZERO, first, `${first}\n`));
    expect(out).toContain("ok refs/heads/main");
    const counts = await git(["count-objects", "-v"], { cwd: directory });
    expect(counts).toMatch(unpacks ? /^count: [1-9].*\npacks: 0\n/s : /^count: 0\n.*\npacks: 1\n/s);
    await git(["fsck", "--strict"], { cwd: directory });
  });

  it.each([
    ["", false],
    ["strict", false],
    ["off", true],
    ["relaxed", true],
  ])("XGIT_FSCK=%j", async (word, passes) => {
    const directory = await newRepository();
    const env = { GIT_COMMITTER_EMAIL: "", GIT_AUTHOR_EMAIL: "" };
    const tree = await source.git("rev-parse", `${first}^{tree}`);
    const text = `tree ${tree}\nauthor A 1 +0000\ncommitter A <a@b.c> 1 +0000\n\nno mail\n`;
    const commit = (
      await git(["hash-object", "-t", "commit", "-w", "--stdin", "--literally"], {
        cwd: source.directory,
        input: text,
        env,
      })
    ).trim();
    const push = await pushOf(ZERO, commit, `${commit}\n`);
    const { out } = await ours(["--stateless-rpc", directory], push, { XGIT_FSCK: word });
    expect(out.includes("ok refs/heads/main")).toBe(passes);
  });
});
