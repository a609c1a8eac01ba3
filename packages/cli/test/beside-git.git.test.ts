import { execFileSync } from "node:child_process";
import { createTestRepository, git, gitEnvironment, temporaryDirectory } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal } from "./terminal.ts";

type Environment = Readonly<Record<string, string>>;

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
const root = temporaryDirectory("beside");
const base: Environment = { HOME: root, GIT_CONFIG_NOSYSTEM: "1" };

beforeAll(async () => {
  for (const objectFormat of ["sha1", "sha256"] as const) {
    const source = await createTestRepository({ objectFormat });
    await source.commit("one");
    await source.git("tag", "-a", "-m", "t", "v1");
    const bare = `${root}/${objectFormat}.git`;
    await git(["clone", "-q", "--bare", source.directory, bare]);
    await git(["update-ref", "refs/namespaces/n/refs/heads/main", "main"], { cwd: bare });
  }
});

/** What differs from one git to the next, and what each calls itself, is nobody's row. */
function comparable(out: string): string {
  return out
    .replace(/agent=[^\s\0]+/g, "agent=x")
    .replace(/[0-9a-f]{4}(?=agent=)/g, "")
    .replace(/[0-9a-f]{4}object-info\n/, "")
    .replace(/[0-9a-f]{4}fetch=.*\n/, "")
    .replace(/0010(?=0000$)/, "")
    .replace(/^[0-9a-f]{4}(?=[0-9a-f]{40,64} )/, "");
}

async function ours(argv: readonly string[], input: string, env: Environment): Promise<Ran> {
  const terminal = new FakeTerminal({ ...base, ...env });
  terminal.stdin.end(Buffer.from(input, "latin1"));
  const status = await main(argv, terminal);
  return { status, out: comparable(terminal.out), err: terminal.err };
}

function gits([command = "", ...args]: readonly string[], input: string, env: Environment): Ran {
  const options = { env: { ...gitEnvironment(), ...base, ...env }, input: Buffer.from(input, "latin1") };
  const kept = { ...options, stdio: "pipe", encoding: "latin1" } as const;
  try {
    const out = execFileSync("git", [command, ...args], kept);
    return { status: 0, out: comparable(out), err: "" };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { status, out: comparable(stdout), err: stderr };
  }
}

describe.each(["sha1", "sha256"] as const)("1.14 what git runs for ssh, %s", (objectFormat) => {
  const at = `${root}/${objectFormat}.git`;
  const zero = "0".repeat(objectFormat === "sha1" ? 40 : 64);
  const ones = "1".repeat(zero.length);
  const FLUSH = "0000";
  const list = `${packet("argument --list\n")}${FLUSH}`;
  const lsRefs = `${packet("command=ls-refs\n")}${packet(`object-format=${objectFormat}`)}0001${packet("peel\n")}${packet("symrefs\n")}${FLUSH}`;
  const versions: readonly Environment[] = [
    "",
    "version=1",
    "version=2",
    "version=2:x=y",
    "version=9",
    "VERSION=2",
  ].map((word) => ({ GIT_PROTOCOL: word }));

  it.each<[string, readonly string[], string, Environment?]>([
    ...versions.flatMap<[string, readonly string[], string, Environment]>((env) => [
      ["upload-pack", [], "", env],
      ["upload-pack", [], FLUSH, env],
      ["upload-pack", ["--http-backend-info-refs"], "", env],
      ["upload-pack", ["--stateless-rpc", "--advertise-refs"], "", env],
      ["receive-pack", [], "", env],
      ["receive-pack", [], FLUSH, env],
      ["receive-pack", ["--http-backend-info-refs"], "", env],
      ["upload-archive", [], list, env],
    ]),
    ["upload-pack", ["--strict"], FLUSH],
    ["upload-pack", ["--no-strict"], FLUSH],
    ["upload-pack", ["--timeout=60"], FLUSH],
    ["upload-pack", ["--stateless-rpc"], FLUSH],
    ["upload-pack", ["--stateless-rpc"], FLUSH, { GIT_PROTOCOL: "version=1" }],
    ["upload-pack", ["--stateless-rpc"], "", { GIT_PROTOCOL: "version=2" }],
    ["upload-pack", [], lsRefs, { GIT_PROTOCOL: "version=2" }],
    ["upload-pack", [], `${lsRefs}${lsRefs}${FLUSH}`, { GIT_PROTOCOL: "version=2" }],
    ["upload-pack", [], `${packet(`want ${ones}\n`)}${FLUSH}`],
    ["upload-pack", [], FLUSH, { GIT_NAMESPACE: "n" }],
    ["receive-pack", [], FLUSH, { GIT_NAMESPACE: "n" }],
    ["receive-pack", ["--quiet"], FLUSH],
    ["receive-pack", ["-q"], FLUSH],
    ["receive-pack", ["--stateless-rpc"], FLUSH],
    ["receive-pack", ["--stateless-rpc"], ""],
    ["upload-archive", [], ""],
    ["upload-archive", [], `${packet("x\n")}${FLUSH}`],
    ["upload-archive", [], `${packet("argument main\n")}${FLUSH}`],
    ["upload-archive", [], `${packet("argument main~1\n")}${FLUSH}`],
    ["upload-archive", [], packet("argument main\n").repeat(70)],
  ])("%s %j answers %j with %j alike", async (command, flags, input, env = {}) => {
    const argv = [command, ...flags, at];
    expect(await ours(argv, input, env)).toEqual(gits(argv, input, env));
  });

  it.each<[string, readonly string[], string, Environment?]>([
    ["upload-pack", ["--stateless-rpc"], ""],
    ["upload-pack", [], `${packet("garbage\n")}${FLUSH}`],
    ["upload-pack", [], "0003"],
    ["upload-pack", [], `${packet("command=nope")}${FLUSH}`, { GIT_PROTOCOL: "version=2" }],
    ["receive-pack", [], `${packet("garbage")}${FLUSH}`],
    ["receive-pack", [], packet(`${zero} ${ones} refs/heads/x\0object-format=${objectFormat}`)],
  ])("%s %j ends %j with %j alike, and tells the client too", async (command, flags, input, env = {}) => {
    const argv = [command, ...flags, at];
    const [mine, theirs] = [await ours(argv, input, env), gits(argv, input, env)];
    expect([mine.status, mine.err]).toEqual([theirs.status, theirs.err]);
    expect(mine.status).toBe(128);
    expect(mine.out.startsWith(theirs.out)).toBe(true);
    const words = theirs.err.replace(/^fatal: (?:error: )?/, "").replace(/\n$/, "");
    if (mine.out !== theirs.out) expect(mine.out.slice(theirs.out.length)).toBe(packet(`ERR ${words}`));
  });
});

describe("1.14 git shell", () => {
  it.each<[string, string?, Environment?]>([
    [`git-upload-pack '${root}/sha1.git'`],
    [`git upload-pack '${root}/sha1.git'`],
    [`git-upload-pack '${root}/sha1'`],
    [`git-upload-pack '${root}/sha1.git'`, "0000", { GIT_PROTOCOL: "version=1" }],
    [`git-receive-pack '${root}/sha256.git'`],
    [`git-upload-archive '${root}/sha1.git'`, `${packet("argument --list\n")}0000`],
    ["git-upload-pack '~/sha1.git'"],
    ["git-upload-pack '/~/sha1.git'"],
    [`git-upload-pack ${root}/sha1.git`],
    [`git-upload-pack "${root}/sha1.git"`],
    ["git-upload-pack '-x'"],
    ["git-upload-pack '--help'"],
    ["git-upload-pack"],
    ["git-upload-pack "],
    ["git-upload-pack 'a' 'b'"],
    ["git-upload-pack 'a"],
    ["git-upload-pack 'a'; id"],
    ["git-upload-pack a;id"],
    ["git-upload-pack `id`"],
    ["git-upload-pack $(id)"],
    ["git-upload-pack 'a'\\''b'"],
    ["git-upload-pack 'a'\\!'b'"],
    ["git-upload-pack  'a'"],
    ["git  upload-pack 'a'"],
    ["GIT-UPLOAD-PACK 'a'"],
    ["git-upload-packs 'a'"],
    ["git-shell 'a'"],
    ["cvs server"],
    ["id"],
    [""],
  ])("answers %j as git's does", async (line, input = "0000", env = {}) => {
    const argv = ["shell", "-c", line];
    const [mine, theirs] = [await ours(argv, input, env), gits(argv, input, env)];
    expect([mine.status, mine.out]).toEqual([theirs.status, theirs.out]);
    // Of "cvs server" git's runs what is installed.
    if (!line.startsWith("cvs")) expect(mine.err).toBe(theirs.err);
  });
});
