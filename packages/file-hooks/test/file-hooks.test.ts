import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PushCertificate } from "@x/server-core";
import { describe, expect, test } from "vitest";
import { createFileHooks, FileHooksError } from "../src/index.ts";
import { command, id, Rig } from "./rig.ts";

const UTF8 = Buffer.from("refs/heads/zürich", "utf8").toString("latin1");
const RAW = "refs/heads/z\xfcrich";

describe("attendance", () => {
  test("depends on what lies in the folder", async () => {
    const attends = (rig: Rig, hooks = createFileHooks()) => hooks.attends?.(rig.context());
    expect(await attends(new Rig())).toBe(false);
    const rig = new Rig();
    rig.hook("update.sample", "");
    rig.hook("pre-commit", "");
    expect(await attends(rig)).toBe(false);
    rig.hook("post-update", "", 0o644);
    expect(await attends(rig)).toBe(true);
    const elsewhere = new Rig();
    mkdirSync(join(elsewhere.directory, "other"));
    writeFileSync(join(elsewhere.directory, "other/update"), "");
    expect(await attends(elsewhere)).toBe(false);
    expect(await attends(elsewhere, createFileHooks({ hooksPath: "other" }))).toBe(true);
    expect(await attends(elsewhere, createFileHooks({ hooksPath: "other/update" }))).toBe(true); // cannot be listed
    writeFileSync(join(elsewhere.directory, "commondir"), "common\n");
    mkdirSync(join(elsewhere.directory, "common/hooks"), { recursive: true });
    writeFileSync(join(elsewhere.directory, "common/hooks/pre-receive"), "");
    expect(await attends(elsewhere)).toBe(true);
    const configured = [{ name: "own", event: "post-receive", command: "true" }];
    expect(await attends(new Rig(), createFileHooks({ configured }))).toBe(true);
  });
});

describe("pre-receive", () => {
  test("reads every command, those that failed already too", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", 'cat >got; echo "$0 $#" >args; pwd >cwd');
    const all = [command(RAW), command(UTF8, id("2"), id("0")), command("refs/heads/bad")];
    const context = rig.context({ commands: all.slice(0, 2), allCommands: all });
    expect(await createFileHooks().preReceive?.(context)).toBeUndefined();
    expect(rig.read("got")).toBe(all.map(({ oldId, newId, ref }) => `${oldId} ${newId} ${ref}\n`).join(""));
    expect(rig.read("args")).toBe("hooks/pre-receive 0\n");
    expect(rig.read("cwd")).toBe(`${rig.directory}\n`);
  });

  test("refuses the push by its status", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "echo first; echo second >&2; echo third; exit 3");
    const refusal = await createFileHooks().preReceive?.(rig.context());
    expect(refusal).toBe("pre-receive hook declined");
    expect(rig.shown).toBe("first\nsecond\nthird\n");
  });

  test("dies of a signal, and the push with it", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "printf half; kill -9 $$");
    expect(await createFileHooks().preReceive?.(rig.context())).toBe("pre-receive hook declined");
    expect(rig.shown).toBe("half\nerror: the pre-receive hook died of signal SIGKILL\n");
  });

  test("that cannot be run refuses", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "#!/no/such/program\n");
    expect(await createFileHooks().preReceive?.(rig.context())).toBe("pre-receive hook declined");
    expect(rig.shown).toBe("error: cannot run the pre-receive hook: ENOENT\n");
  });

  test("without a first line is the shell's", async () => {
    const rig = new Rig();
    writeFileSync(join(rig.directory, "hooks/pre-receive"), "echo from the shell\n", { mode: 0o755 });
    expect(await createFileHooks().preReceive?.(rig.context())).toBeUndefined();
    expect(rig.shown).toBe("from the shell\n");
  });

  test("can open its input and outputs by their paths", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "cat </dev/stdin >/dev/stdout; echo end >/dev/stderr");
    await createFileHooks().preReceive?.(rig.context());
    expect(rig.shown).toBe(`${id("0")} ${id("1")} refs/heads/main\nend\n`);
  });

  test("knows of push options, of the certificate and of the quarantine", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "env | grep ^GIT_ | sort >env");
    const certificate: PushCertificate = {
      id: id("c"),
      payload: new Uint8Array(),
      signature: new Uint8Array(),
      status: "G",
      signer: "A U Thor <a@example.com>",
      key: "1234",
      nonce: "12-ab",
      nonceStatus: "SLOP",
      nonceSlop: 7,
    };
    const context = rig.context({
      certificate,
      pushOptions: ["one two", "", "x;y=`z`"],
      environment: new Map([["GIT_QUARANTINE_PATH", "/q"]]),
      repository: rig.repository({ namespace: "refs/namespaces/a/refs/namespaces/b/" }),
    });
    await createFileHooks({ environment: { PATH: process.env.PATH, GIT_PUSH_OPTION_9: "old" } }).preReceive?.(
      context,
    );
    expect(rig.read("env").split("\n").slice(0, -1)).toEqual([
      "GIT_DIR=.",
      "GIT_NAMESPACE=a/b",
      `GIT_PUSH_CERT=${id("c")}`,
      "GIT_PUSH_CERT_KEY=1234",
      "GIT_PUSH_CERT_NONCE=12-ab",
      "GIT_PUSH_CERT_NONCE_SLOP=7",
      "GIT_PUSH_CERT_NONCE_STATUS=SLOP",
      "GIT_PUSH_CERT_SIGNER=A U Thor <a@example.com>",
      "GIT_PUSH_CERT_STATUS=G",
      "GIT_PUSH_OPTION_0=one two",
      "GIT_PUSH_OPTION_1=",
      "GIT_PUSH_OPTION_2=x;y=`z`",
      "GIT_PUSH_OPTION_COUNT=3",
      "GIT_QUARANTINE_PATH=/q",
    ]);
  });
});

test("push options reach a hook to the byte", async () => {
  const rig = new Rig();
  rig.hook("pre-receive", 'printf "%s|" "$GIT_PUSH_OPTION_0" "$GIT_PUSH_OPTION_1" "$GIT_PUSH_OPTION_2" >got');
  const pushOptions = [
    Buffer.from("gr\u00fc\u00dfe", "utf8").toString("latin1"),
    "gr\xfc\xdfe",
    "$(touch ran) 'it'",
  ];
  expect(await createFileHooks().preReceive?.(rig.context({ pushOptions }))).toBeUndefined();
  expect(rig.read("got")).toBe(`${pushOptions.join("|")}|`);
  expect(() => rig.read("ran")).toThrow();
});

test("under a server, a hook sees who pushes and none of the server's own secrets", async () => {
  const rig = new Rig();
  rig.hook("pre-receive", "env >env");
  process.env.SOME_TOKEN = "secret";
  try {
    const context = rig.context();
    const peer = { address: "192.0.2.7", user: "ann" };
    const call = { ...context.call, transport: "http", version: 1 as const, peer };
    await createFileHooks().preReceive?.({ ...context, call });
  } finally {
    delete process.env.SOME_TOKEN;
  }
  const lines = rig.read("env").split("\n");
  expect(lines).toContain("REMOTE_ADDR=192.0.2.7");
  expect(lines).toContain("REMOTE_USER=ann");
  expect(lines).toContain("GIT_COMMITTER_NAME=ann");
  expect(lines).toContain("GIT_COMMITTER_EMAIL=ann@http.192.0.2.7");
  expect(lines).toContain("GIT_PROTOCOL=version=1");
  expect(lines).toContain(`PATH=${process.env.PATH}`);
  expect(lines.join("\n")).not.toContain("secret");
});

test("over git:// it sees where the pusher is, as under git-daemon", async () => {
  for (const [address, shown] of [
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8::7", "[2001:db8::7]"],
  ]) {
    const rig = new Rig();
    rig.hook("pre-receive", "env >env");
    const context = rig.context();
    const call = { ...context.call, transport: "git", peer: { address, port: 4711 } };
    await createFileHooks().preReceive?.({ ...context, call });
    const lines = rig.read("env").split("\n");
    expect(lines).toContain(`REMOTE_ADDR=${shown}`);
    expect(lines).toContain("REMOTE_PORT=4711");
  }
});

describe("update", () => {
  test("gets the ref and both ids, bytes as they are", async () => {
    const rig = new Rig();
    rig.hook("update", 'printf "%s|" "$@" >>args; cat >stdin; env | grep -c PUSH_OPTION >>options || true');
    const hooks = createFileHooks();
    const context = rig.context({ pushOptions: ["o"] });
    for (const ref of [UTF8, RAW, "refs/heads/it's $HOME"])
      expect(await hooks.update?.(context, command(ref))).toBeUndefined();
    const ids = `${id("0")}|${id("1")}`;
    expect(rig.read("args")).toBe(`${UTF8}|${ids}|${RAW}|${ids}|refs/heads/it's $HOME|${ids}|`);
    expect(rig.read("stdin")).toBe("");
    expect(rig.read("options")).toBe("0\n0\n0\n");
  });

  test("refuses its ref", async () => {
    const rig = new Rig();
    rig.hook("update", "echo no >&2; exit 1");
    expect(await createFileHooks().update?.(rig.context(), command(UTF8))).toBe("hook declined");
    expect(rig.shown).toBe("no\nerror: hook declined to update refs/heads/zürich\n");
  });
});

describe("reference-transaction", () => {
  const changes = [
    { name: "refs/heads/a", from: undefined, to: { kind: "id", id: id("1") } },
    { name: "refs/heads/b", from: { kind: "id", id: id("2") }, to: "absent" },
    { name: "HEAD", from: { kind: "symbolic", name: "refs/heads/x" }, to: { kind: "symbolic", name: UTF8 } },
  ] as const;

  test("hears of each phase", async () => {
    const rig = new Rig();
    rig.hook("reference-transaction", "echo $1 >>got; cat >>got");
    const hooks = createFileHooks();
    await hooks.referenceTransaction?.(rig.context(), "prepared", changes);
    await hooks.referenceTransaction?.(rig.context(), "committed", []);
    expect(rig.read("got").split("\n")).toEqual([
      "prepared",
      `${id("0")} ${id("1")} refs/heads/a`,
      `${id("2")} ${id("0")} refs/heads/b`,
      `ref:refs/heads/x ref:${UTF8} HEAD`,
      "committed",
      "",
    ]);
  });

  test("calls it off while it may", async () => {
    const rig = new Rig();
    rig.hook("reference-transaction", "exit 1");
    const hooks = createFileHooks();
    const asked = (phase: "preparing" | "prepared" | "committed" | "aborted") =>
      hooks.referenceTransaction?.(rig.context(), phase, changes);
    await expect(asked("preparing")).rejects.toThrow(FileHooksError);
    await expect(asked("prepared")).rejects.toThrow(
      "in 'prepared' phase, update aborted by the reference-transaction hook",
    );
    await asked("committed");
    await asked("aborted");
  });
});

describe("after the push", () => {
  test("post-receive reads what changed, and post-update is given the names", async () => {
    const rig = new Rig();
    rig.hook("post-receive", "cat >got; echo $GIT_PUSH_OPTION_0 >>got; exit 1");
    rig.hook("post-update", 'printf "%s|" "$@" >args; echo done');
    const context = rig.context({ commands: [command("refs/heads/a"), command(RAW)], pushOptions: ["hi"] });
    const hooks = createFileHooks();
    await hooks.postReceive?.(context);
    await hooks.postUpdate?.(context);
    const line = `${id("0")} ${id("1")}`;
    expect(rig.read("got")).toBe(`${line} refs/heads/a\n${line} ${RAW}\nhi\n`);
    expect(rig.read("args")).toBe(`refs/heads/a|${RAW}|`);
    expect(rig.shown).toBe("done\n");
  });

  test("nothing runs when nothing changed", async () => {
    const rig = new Rig();
    for (const name of ["post-receive", "post-update"]) rig.hook(name, "echo ran");
    const hooks = createFileHooks();
    await hooks.postReceive?.(rig.context({ commands: [] }));
    await hooks.postUpdate?.(rig.context({ commands: [] }));
    expect(rig.shown).toBe("");
  });

  test("more names than a program takes are said to be too many", async () => {
    const rig = new Rig();
    rig.hook("post-update", "echo ran");
    const commands = Array.from({ length: 20_000 }, (_, index) =>
      command(`refs/heads/${"x".repeat(180)}${index}`),
    );
    await createFileHooks().postUpdate?.(rig.context({ commands }));
    expect(rig.shown).toBe("error: cannot run the post-update hook: E2BIG\n");
  });
});

describe("push-to-checkout", () => {
  test("knows the work tree", async () => {
    const rig = new Rig();
    rig.hook("push-to-checkout", 'echo "$GIT_DIR $GIT_WORK_TREE $1 $#" >got; pwd >>got');
    const workTree = join(rig.directory, "tree");
    mkdirSync(workTree);
    const hooks = createFileHooks();
    const ask = () => hooks.pushToCheckout?.(rig.context(), command("refs/heads/main"), workTree);
    expect(await ask()).toBeUndefined();
    expect(rig.read("got")).toBe(`${rig.directory} ${workTree} ${id("1")} 1\n${rig.directory}\n`);
    writeFileSync(join(workTree, ".git"), "gitdir: ../worktrees/tree\n");
    await ask();
    expect(rig.read("got")).toContain(`${rig.directory}/worktrees/tree ${workTree} `);
  });

  test("refuses, and without it the server is left to do it", async () => {
    const rig = new Rig();
    const hooks = createFileHooks();
    const ask = (repository = rig.repository()) =>
      hooks.pushToCheckout?.(rig.context({ repository }), command("refs/heads/main"), "/w");
    expect(await ask()).toBe(false);
    rig.hook("push-to-checkout", "exit 1");
    expect(await ask()).toBe("push-to-checkout hook declined");
    expect(await ask(rig.repository({ directory: undefined }))).toBe(false);
  });
});

describe("which hooks there are", () => {
  test("none without a directory, without a script, or without permission, which is said once", async () => {
    const rig = new Rig();
    const hooks = createFileHooks({ logger: rig.logger });
    rig.hook("pre-receive", "exit 1");
    expect(
      await hooks.preReceive?.(rig.context({ repository: rig.repository({ directory: undefined }) })),
    ).toBeUndefined();
    expect(await hooks.update?.(rig.context(), command("refs/heads/a"))).toBeUndefined();
    rig.hook("pre-receive", "exit 1", 0o644);
    for (let i = 0; i < 3; i++) expect(await hooks.preReceive?.(rig.context())).toBeUndefined();
    expect(rig.logged).toEqual(["the 'pre-receive' hook was ignored because it's not set as executable"]);
  });

  test("those of hooksPath instead of hooks", async () => {
    const rig = new Rig();
    mkdirSync(join(rig.directory, "elsewhere"));
    rig.hook("pre-receive", "exit 1");
    rig.hook("elsewhere/pre-receive", "echo elsewhere");
    for (const hooksPath of ["elsewhere", join(rig.directory, "elsewhere"), () => "elsewhere"])
      expect(await createFileHooks({ hooksPath }).preReceive?.(rig.context())).toBeUndefined();
    expect(rig.shown).toBe("elsewhere\n".repeat(3));
  });

  test("those of the repository that a linked work tree belongs to", async () => {
    const rig = new Rig();
    mkdirSync(join(rig.directory, "worktrees/tree"), { recursive: true });
    writeFileSync(join(rig.directory, "worktrees/tree/commondir"), "../..\n");
    rig.hook("pre-receive", "exit 1");
    const repository = rig.repository({ directory: join(rig.directory, "worktrees/tree") });
    expect(await createFileHooks().preReceive?.(rig.context({ repository }))).toBe(
      "pre-receive hook declined",
    );
  });

  test("those in settings before the script, each with the input, one refusal being enough", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "echo script $(wc -l)");
    rig.hook("update", "echo script");
    const configured = [
      { name: "a", event: "pre-receive", command: "echo a $(wc -l)" },
      { name: "b", event: "pre-receive", command: "echo b $(wc -l); false" },
      { name: "c", event: "update", command: "echo c" },
    ];
    const hooks = createFileHooks({ configured });
    expect(await hooks.preReceive?.(rig.context())).toBe("pre-receive hook declined");
    expect(await hooks.update?.(rig.context(), command(RAW))).toBeUndefined();
    expect(rig.shown).toBe(`a 1\nb 1\nscript 1\nc refs/heads/z\ufffdrich ${id("0")} ${id("1")}\nscript\n`);
  });
});
