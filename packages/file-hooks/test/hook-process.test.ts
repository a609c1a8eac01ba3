import { describe, expect, test } from "vitest";
import { createFileHooks } from "../src/index.ts";
import { command, id, isAlive, Rig, until } from "./rig.ts";

const pids = (rig: Rig) => rig.read("pids").trim().split(/\s+/).map(Number);

/** A script that cannot be asked to end, and a child of the same kind. */
const STUBBORN = "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $$ $! >pids; wait; wait";

describe("a hook that does not end", () => {
  test("is ended with all it started when its time is up", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", STUBBORN);
    const hooks = createFileHooks({ limits: { timeoutMs: 300, killGraceMs: 200 } });
    expect(await hooks.preReceive?.(rig.context())).toBe("pre-receive hook declined");
    expect(rig.shown).toBe("error: the pre-receive hook was ended after 300 ms\n");
    expect(pids(rig)).toHaveLength(2);
    await until(() => !pids(rig).some(isAlive));
  });

  test("may clean up first", async () => {
    const rig = new Rig();
    rig.hook("update", "trap 'echo cleaned; exit 0' TERM; echo up; while :; do sleep 0.05; done");
    const hooks = createFileHooks({ limits: { timeoutMs: 300 } });
    expect(await hooks.update?.(rig.context(), command("refs/heads/a"))).toBe("hook declined");
    expect(rig.shown).toMatch(/^up\n(Terminated\n)?cleaned\nerror: the update hook was ended after 300 ms\n/);
  });

  test("is ended when the push is called off, and nothing that it started survives", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", `${STUBBORN}`);
    const hooks = createFileHooks({ limits: { killGraceMs: 200 } });
    const run = hooks.preReceive?.(rig.context());
    setTimeout(() => rig.controller.abort(new Error("gone")), 300);
    await expect(run).rejects.toThrow("gone");
    await until(() => !pids(rig).some(isAlive));
  });

  test("is not even begun for a push that was called off", async () => {
    const rig = new Rig();
    rig.hook("update", "touch ran");
    rig.controller.abort(new Error("gone"));
    await expect(createFileHooks().update?.(rig.context(), command("refs/heads/a"))).rejects.toThrow("gone");
    expect(() => rig.read("ran")).toThrow();
  });
});

describe("what a hook leaves running", () => {
  test("holds nothing up, and goes on though it still writes", async () => {
    const rig = new Rig();
    rig.hook("post-receive", "(sleep 0.6; echo late; echo later; echo all >done) & echo now");
    const start = performance.now();
    await createFileHooks({ limits: { lingerMs: 100 } }).postReceive?.(rig.context());
    expect(performance.now() - start).toBeLessThan(550);
    expect(rig.shown).toBe("now\n");
    await until(() => {
      try {
        return rig.read("done") === "all\n";
      } catch {
        return false;
      }
    });
    expect(rig.shown).toBe("now\n");
  });

  test("is listened to for a while", async () => {
    const rig = new Rig();
    rig.hook("post-receive", "(sleep 0.2; echo late) & echo now");
    await createFileHooks().postReceive?.(rig.context());
    expect(rig.shown).toBe("now\nlate\n");
  });
});

describe("a hook after the push", () => {
  test("runs to its end though its client goes, and is waited for by close", async () => {
    const rig = new Rig();
    rig.hook("post-receive", "sleep 0.4; echo deployed >site");
    const hooks = createFileHooks();
    const run = hooks.postReceive?.(rig.context());
    setTimeout(() => rig.controller.abort(new Error("gone")), 100);
    await hooks.close({ graceMs: 10_000 });
    expect(rig.read("site")).toBe("deployed\n");
    await run;
  });

  test("is ended by close when the grace is over", async () => {
    const rig = new Rig();
    rig.hook("post-receive", STUBBORN);
    const hooks = createFileHooks({ limits: { killGraceMs: 100 } });
    const run = hooks.postReceive?.(rig.context());
    await until(() => {
      try {
        return pids(rig).length === 2;
      } catch {
        return false;
      }
    });
    const ended = expect(run).rejects.toThrow("the server is closing");
    await hooks.close({ graceMs: 50 });
    await ended;
    await until(() => !pids(rig).some(isAlive));
  });
});

describe("input", () => {
  const many = Array.from({ length: 100_000 }, (_, index) => command(`refs/heads/branch-${index}`));

  test("of a hundred thousand commands is all read", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "wc -lc");
    await createFileHooks().preReceive?.(rig.context({ commands: many, allCommands: many }));
    const bytes = many.reduce((sum, { ref }) => sum + ref.length + 83, 0);
    expect(rig.shown.trim().split(/\s+/).map(Number)).toEqual([100_000, bytes]);
  });

  test("may be left unread", async () => {
    const rig = new Rig();
    const hooks = createFileHooks();
    for (const script of ["exit 0", "exec <&-; sleep 0.1", "head -n 1"]) {
      rig.hook("pre-receive", script);
      const context = rig.context({ commands: many, allCommands: many });
      expect(await hooks.preReceive?.(context)).toBeUndefined();
    }
    expect(rig.shown).toBe(`${id("0")} ${id("1")} refs/heads/branch-0\n`);
  });
});

describe("output", () => {
  test("comes while the hook runs", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two");
    const run = createFileHooks().preReceive?.(rig.context());
    await until(() => rig.shown === "one\n");
    rig.hook("./go", "");
    await run;
    expect(rig.shown).toBe("one\ntwo\n");
  });

  test("of a hundred megabytes is cut short, and the hook may finish", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "head -c 100000000 /dev/zero | tr '\\0' x; touch finished");
    const hooks = createFileHooks({ limits: { maxOutputBytes: 100_000 } });
    expect(await hooks.preReceive?.(rig.context())).toBeUndefined();
    const line = "\nthe pre-receive hook printed more than 100000 bytes; the rest is dropped\n";
    expect(rig.shown).toBe("x".repeat(100_000) + line);
    expect(rig.read("finished")).toBe("");
  });

  test("waits for the user to read, and is whole though the hook has ended", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "head -c 100000 /dev/zero | tr '\\0' x; echo end");
    let most = 0;
    rig.drained = async () => {
      const before = rig.shown.length;
      await new Promise((resolve) => setTimeout(resolve, 250));
      most = Math.max(most, rig.shown.length - before);
    };
    const hooks = createFileHooks({ limits: { lingerMs: 100 } });
    expect(await hooks.preReceive?.(rig.context())).toBeUndefined();
    expect(rig.shown).toBe(`${"x".repeat(100_000)}end\n`);
    expect(most).toBe(0);
  });
});

describe("where no pipes can be made", () => {
  test("hooks run all the same", async () => {
    const rig = new Rig();
    rig.hook("pre-receive", "wc -l; echo err >&2; cd /proc/$$/fd && readlink 0 | sed 's/:.*//'");
    rig.hook("update", "cat; echo from update");
    const { PATH } = process.env;
    const hooks = createFileHooks({ environment: { PATH }, limits: { timeoutMs: 10_000 } });
    const many = Array.from({ length: 50_000 }, (_, index) => command(`refs/heads/branch-${index}`));
    process.env.PATH = "/no/mkfifo/here";
    try {
      expect(await hooks.preReceive?.(rig.context({ commands: many, allCommands: many }))).toBeUndefined();
      expect(rig.shown.split("\n").sort()).toEqual(["", "50000", "err", "socket"]);
      rig.hook("pre-receive", "exit 2");
      expect(await hooks.preReceive?.(rig.context({ commands: many, allCommands: many }))).toBeDefined();
      expect(await hooks.update?.(rig.context(), command("refs/heads/a"))).toBeUndefined();
      expect(rig.shown).toContain("from update\n");
    } finally {
      process.env.PATH = PATH;
    }
  });
});

test("a hundred runs leave no pipe open", async () => {
  const { readdirSync } = await import("node:fs");
  const rig = new Rig();
  rig.hook("pre-receive", "cat >/dev/null");
  const hooks = createFileHooks();
  await hooks.preReceive?.(rig.context());
  const count = () => readdirSync("/proc/self/fd").length;
  const before = count();
  for (let i = 0; i < 25; i++)
    await Promise.all([1, 2, 3, 4].map(async () => hooks.preReceive?.(rig.context())));
  await until(() => count() <= before + 16); // those made ahead
  await hooks.close();
  await until(() => count() < before);
});
