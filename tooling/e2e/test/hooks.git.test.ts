import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { BIN, startServer } from "./server.ts";

/** Writes down what a hook is given, beside the repository. */
const RECORD = `#!/bin/sh
name=\${0##*/}
{
  echo "== $0 in $(pwd)"
  for arg; do echo "arg $arg"; done
  sed 's/^/stdin /'
  env | grep '^GIT_' | sort
} >>"$(pwd).rec"
echo "out of $name"
echo "err of $name" >&2
`;
const RECORDED = ["pre-receive", "update", "post-receive", "post-update"];

const root = temporaryDirectory("hooks");
let work: Awaited<ReturnType<typeof createTestRepository>>;
beforeAll(async () => {
  work = await createTestRepository();
  await work.commit("first", { "index.html": "one\n" });
  await work.git("branch", "one");
  await work.commit("second", { "index.html": "two\n" });
  await work.git("branch", "two");
  await work.git("branch", "z\u00fcrich", "one");
});

async function newRepository(name: string, settings: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = `${root}/${name}`;
  rmSync(directory, { recursive: true, force: true });
  await git(["init", "-q", "--bare", directory]);
  for (const [key, value] of Object.entries(settings)) await git(["config", key, value], { cwd: directory });
  return directory;
}

function hook(directory: string, name: string, text: string): void {
  writeFileSync(`${directory}/hooks/${name}`, text.startsWith("#!") ? text : `#!/bin/sh\n${text}\n`);
  chmodSync(`${directory}/hooks/${name}`, 0o755);
}

/** Git's own receive-pack, or ours in its place under its name: clients go by that. */
const OURS = `${root}/bin`;
const RECEIVERS = { stock: "git-receive-pack", ours: `${OURS}/git-receive-pack` } as const;
beforeAll(async () => {
  await git(["init", "-q", OURS]);
  writeFileSync(RECEIVERS.ours, `#!/bin/sh\nexec ${process.execPath} ${BIN} receive-pack "$@"\n`);
  chmodSync(RECEIVERS.ours, 0o755);
});

type Receiver = keyof typeof RECEIVERS;

function push(to: string, by: Receiver, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const all = ["-c", "protocol.version=0", "push", `--receive-pack=${RECEIVERS[by]}`];
  const options = args.filter((arg) => arg.startsWith("-"));
  return tryGit([...all, ...options, to, ...args.filter((arg) => !arg.startsWith("-"))], {
    cwd: work.directory,
    env,
  });
}

/** What was recorded, without what is another's each time. */
function recorded(directory: string): string {
  const text = readFileSync(`${directory}.rec`, "latin1");
  return text
    .replaceAll(directory, "DIR")
    .replaceAll("/./", "/")
    .replace(/tmp_objdir-incoming-\S+/g, "QUARANTINE")
    .replace(/^GIT_EXEC_PATH=.*\n/gm, "");
}

describe("what hooks are given", () => {
  async function both(
    pushes: readonly (readonly string[])[],
    settings: Readonly<Record<string, string>> = {},
  ) {
    const seen: Record<string, { record: string; said: string[] }> = {};
    for (const by of ["stock", "ours"] as const) {
      const directory = await newRepository(`${by}/r.git`, settings);
      rmSync(`${directory}.rec`, { force: true });
      for (const name of RECORDED) hook(directory, name, RECORD);
      const said: string[] = [];
      for (const args of pushes) {
        const { stderr } = await push(directory, by, args, { SSH_CLIENT: "192.0.2.1 1 22" });
        // A warning may stand before a hook's words or after them.
        said.push(...stderr.replaceAll(directory, "DIR").replace(/ +$/gm, "").split("\n").sort());
      }
      seen[by] = { record: recorded(directory), said };
    }
    return seen as Record<Receiver, { record: string; said: string[] }>;
  }

  it("is what C git gives them, and so is what the user sees", async () => {
    const { stock, ours } = await both(
      [
        ["one:main", "two:refs/heads/two", "z\u00fcrich"],
        ["two:main"],
        [":two"],
        ["--push-option=a b", "--push-option=", "+one:main"],
        ["--push-option=gr\u00fc\u00dfe", "--atomic", "two:main", "one:refs/tags/t"],
        [":refs/heads/not-there"],
      ],
      { "receive.advertisePushOptions": "true" },
    );
    expect(ours.record).toBe(stock.record);
    expect(ours.said).toEqual(stock.said);
    expect(ours.record).toContain("GIT_PUSH_OPTION_0=a b\n");
    expect(ours.record.match(/^== hooks\/post-receive/gm)).toHaveLength(5);
  });

  it("is the same with a namespace", async () => {
    const namespaced = async (by: Receiver) => {
      const directory = await newRepository(`${by}/n.git`);
      rmSync(`${directory}.rec`, { force: true });
      for (const name of ["pre-receive", "update", "post-update"]) hook(directory, name, RECORD);
      await push(directory, by, ["one:main"], { GIT_NAMESPACE: "a/b" });
      return recorded(directory);
    };
    expect(await namespaced("ours")).toBe(await namespaced("stock"));
  });

  it("is the same of a push into a work tree", async () => {
    const pushInto = async (by: Receiver, script: string) => {
      const directory = `${root}/${by}/tree`;
      rmSync(directory, { recursive: true, force: true });
      rmSync(`${directory}/.git.rec`, { force: true });
      await git(["clone", "-q", "--branch=one", work.directory, directory]);
      await git(["config", "receive.denyCurrentBranch", "updateInstead"], { cwd: directory });
      hook(`${directory}/.git`, "push-to-checkout", script);
      const { status, stderr } = await push(directory, by, ["two:one"]);
      const record = existsSync(`${directory}/.git.rec`) ? recorded(`${directory}/.git`) : "";
      return {
        status,
        stderr: stderr.replaceAll(directory, "DIR").replace(/^remote: | +$/gm, ""),
        record: record.replace("GIT_DIR=DIR/.\n", "GIT_DIR=DIR\n").replaceAll(directory, "TREE"),
      };
    };
    const ours = await pushInto("ours", RECORD);
    expect(ours).toEqual(await pushInto("stock", RECORD));
    expect(ours.record).toContain("GIT_WORK_TREE=TREE\n");
    const refusing = "#!/bin/sh\nexit 1\n";
    expect(await pushInto("ours", refusing)).toEqual(await pushInto("stock", refusing));
  });
});

describe("without a side-band", () => {
  it("hooks speak to standard error, as C git's do", async () => {
    const results = [];
    for (const by of ["stock", "ours"] as const) {
      const directory = await newRepository(`${by}/plain.git`);
      for (const name of RECORDED) hook(directory, name, 'echo "out $0"; echo "err $0" >&2');
      const id = await work.git("rev-parse", "one");
      await git(["fetch", "-q", work.directory, "one"], { cwd: directory });
      const line = `${"0".repeat(40)} ${id} refs/heads/main\0report-status`;
      const pack = execFileSync("git", ["pack-objects", "--stdout", "-q"], { cwd: directory, input: "" });
      const command = `${(line.length + 4).toString(16).padStart(4, "0")}${line}0000`;
      const { stdout, stderr, status } = spawnSync(RECEIVERS[by], ["--stateless-rpc", directory], {
        input: Buffer.concat([Buffer.from(command), pack]),
        env: {
          ...process.env,
          GIT_CONFIG_COUNT: "1",
          GIT_CONFIG_KEY_0: "safe.directory",
          GIT_CONFIG_VALUE_0: "*",
        },
        encoding: "utf8",
      });
      results.push({ stdout, stderr, status });
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[1]?.stderr).toContain("err hooks/post-update\n");
  });
});

describe("refusals", () => {
  const cases: readonly [name: string, hooks: Readonly<Record<string, string>>, args: readonly string[]][] = [
    ["pre-receive", { "pre-receive": "echo no; exit 1" }, ["one:main", "two:two"]],
    ["update, of one ref", { update: "case $1 in *two) echo no; exit 1; esac" }, ["one:main", "two:two"]],
    ["update, atomic", { update: "case $1 in *two) exit 1; esac" }, ["--atomic", "one:main", "two:two"]],
    ["post-receive, in vain", { "post-receive": "echo no; exit 1" }, ["one:main"]],
    ["pre-receive killed", { "pre-receive": "kill -9 $$" }, ["one:main"]],
  ];
  it.each(cases)("by %s are as C git's", async (_name, hooks, args) => {
    const results = [];
    for (const by of ["stock", "ours"] as const) {
      const directory = await newRepository(`${by}/refused.git`);
      for (const [name, text] of Object.entries(hooks)) hook(directory, name, text);
      const { status, stderr } = await push(directory, by, args);
      const refs = await git(["for-each-ref"], { cwd: directory });
      const said = stderr.replaceAll(directory, "DIR").replace(/ +$/gm, "");
      // What a dead hook died of is told to the pusher by us, and to the server's own user by C git.
      results.push({
        status,
        said: said.replace(/^(?:remote: )?error: .* died of signal .*\n/m, ""),
        refs,
      });
    }
    expect(results[1]).toEqual(results[0]);
  });

  it.each(["preparing", "prepared"])(
    "by reference-transaction while %s leave no ref changed",
    async (phase) => {
      const directory = await newRepository("transaction.git");
      hook(directory, "reference-transaction", `[ "$1" != ${phase} ]`);
      const { stderr, status } = await push(directory, "ours", ["one:main", "two:two"]);
      expect(status).toBe(1);
      expect(stderr).toContain(`in '${phase}' phase, update aborted by the reference-transaction hook`);
      expect(stderr).toContain("! [remote rejected] one -> main");
      expect(await git(["for-each-ref"], { cwd: directory })).toBe("");
      hook(directory, "reference-transaction", 'cat >>"$PWD.phases"; echo "$1" >>"$PWD.phases"');
      expect((await push(directory, "ours", ["one:main"])).status).toBe(0);
      const line = `${"0".repeat(40)} ${await work.git("rev-parse", "one")} refs/heads/main\n`;
      expect(readFileSync(`${directory}.phases`, "utf8")).toBe(
        ["preparing", "prepared", "committed"].map((word) => `${line}${word}\n`).join(""),
      );
      rmSync(`${directory}.phases`);
    },
  );
});

describe("proc-receive", () => {
  /** A hook that speaks pkt-line, and answers each command with these lines, `$ref` being its ref. */
  const answering = (...lines: string[]) => `
say() { printf '%04x%s' $((\${#1} + 4)) "$1"; }
hear() {
  heard=
  while n=$(dd bs=1 count=4 2>/dev/null) && [ "$n" != 0000 ] && [ "$n" ]; do
    heard="$heard $(dd bs=1 count=$((0x$n - 4)) 2>/dev/null | tr '\\0 \\n' '!,!')"
  done
}
hear; say version=1; printf 0000; hear
echo "commands:$heard" >&2
for line in $heard; do
  ref=\${line##*,}
  ${lines.map((line) => `say "${line}"`).join("; ")}
done
printf 0000`;

  const settings = { "receive.procReceiveRefs": "refs/for" };
  it.each([
    ["ok", ["ok $ref"]],
    ["another ref", ["ok $ref", "option refname refs/changes/1", "option forced-update"]],
    ["no", ["ng $ref not now"]],
    ["go on", ["ok $ref", "option fall-through"]],
    ["nonsense", ["what $ref"]],
    ["another's ref", ["ok refs/heads/main"]],
    ["nothing", ["ok refs/for/nobody"]],
  ])("that says %s is taken at its word as by C git", async (_name, lines) => {
    const results = [];
    for (const by of ["stock", "ours"] as const) {
      const directory = await newRepository(`${by}/proc.git`, settings);
      hook(directory, "proc-receive", answering(...lines));
      hook(directory, "post-receive", "cat");
      const { status, stderr, stdout } = await push(directory, by, ["one:refs/for/main", "two:main"]);
      const refs = await git(["for-each-ref"], { cwd: directory });
      results.push({ status, said: stderr.replaceAll(directory, "DIR").replace(/ +$/gm, ""), stdout, refs });
    }
    expect(results[1]).toEqual(results[0]);
  });

  it("that is not there fails what is its to do", async () => {
    const directory = await newRepository("proc.git", settings);
    const { stderr } = await push(directory, "ours", ["one:refs/for/main", "two:main"]);
    expect(stderr).toContain("remote: error: cannot find hook 'proc-receive'");
    expect(stderr).toContain("! [remote rejected] one -> refs/for/main (fail to run proc-receive hook)");
    expect(await git(["for-each-ref", "--format=%(refname)"], { cwd: directory })).toBe("refs/heads/main");
  });
});

describe("push to deploy, with xgit serve", () => {
  const script = fileURLToPath(
    new URL("../../../packages/file-hooks/examples/post-receive", import.meta.url),
  );

  it.each(["http", "git"] as const)("the site is what was pushed over %s", async (transport) => {
    const served = temporaryDirectory("served");
    await git(["init", "-q", "--bare", `${served}/site.git`]);
    const site = `${served}/www`;
    const hooks = `${served}/site.git/hooks`;
    copyFileSync(script, `${hooks}/deploy`);
    writeFileSync(`${hooks}/post-receive`, `#!/bin/sh\nSITE=${site} exec hooks/deploy\n`, { mode: 0o755 });
    const server = await startServer(served);
    const url = `${server[transport]}/site.git`;
    for (const [branch, text] of [
      ["one", "one\n"],
      ["two", "two\n"],
    ]) {
      const id = await work.git("rev-parse", branch as string);
      const { stderr, status } = await tryGit(["push", url, `${branch}:main`], { cwd: work.directory });
      expect(status).toBe(0);
      expect(stderr).toContain(`remote: deployed ${id}`);
      expect(readFileSync(`${site}/index.html`, "utf8")).toBe(text);
    }
    await tryGit(["push", url, "one:elsewhere"], { cwd: work.directory });
    expect(readFileSync(`${site}/index.html`, "utf8")).toBe("two\n");
    expect(await server.end()).toBe(0);
  });

  it("goes on though the pusher has gone, and the server waits for it", async () => {
    const served = temporaryDirectory("served");
    const directory = `${served}/site.git`;
    await git(["init", "-q", "--bare", directory]);
    hook(directory, "post-receive", "echo up; touch begun; sleep 2; echo out; touch deployed");
    const server = await startServer(served);
    const pushed = tryGit(["push", `${server.git}/site.git`, "one:main"], {
      cwd: work.directory,
      timeoutMs: 1500,
    });
    while (!existsSync(`${directory}/begun`)) await new Promise((resolve) => setTimeout(resolve, 20));
    const ended = server.end();
    await pushed;
    expect(await ended).toBe(0);
    expect(existsSync(`${directory}/deployed`)).toBe(true);
    expect(await git(["for-each-ref", "--format=%(refname)"], { cwd: directory })).toBe("refs/heads/main");
  });

  it("a pusher who goes before the refs change takes the hook along", async () => {
    const served = temporaryDirectory("served");
    const directory = `${served}/r.git`;
    await git(["init", "-q", "--bare", directory]);
    await git(["config", "receive.keepAlive", "1"], { cwd: directory }); // that is how we notice
    hook(directory, "pre-receive", "echo $$ >pid; sleep 600 & echo $! >>pid; wait");
    const server = await startServer(served);
    const pushed = tryGit(["push", `${server.git}/r.git`, "one:main"], {
      cwd: work.directory,
      timeoutMs: 1500,
    });
    while (!existsSync(`${directory}/pid`)) await new Promise((resolve) => setTimeout(resolve, 20));
    await pushed;
    const pids = readFileSync(`${directory}/pid`, "utf8").trim().split("\n");
    const runs = (pid: string) => {
      try {
        return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
      } catch {
        return false;
      }
    };
    while (pids.some(runs)) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await git(["for-each-ref"], { cwd: directory })).toBe("");
    expect(await server.end()).toBe(0);
  });
});
