import type { ObjectId } from "@x/objects";
import { encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService, type PushContext, type PushHooks, type ReceivedContext } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bring, type Command, commandLine, EMPTY_PACK, push, shownBy, verdictsOf } from "./push-story.ts";
import { bandsOf, callOf, packetsOf } from "./story.ts";

/** Hooks that write down what they are asked, and what of the push can be seen then. */
function recorder(repository: MemoryRepository, id: ObjectId, ref: string) {
  const log: string[] = [];
  const note = (name: string, { commands }: PushContext, more = "") => {
    const objects = repository.objects.graph.get(id) === undefined ? "not kept" : "kept";
    const refs = repository.refs.id(ref) === id ? "changed" : "as it was";
    log.push(`${name} ${commands.map((command) => command.ref).join(" ")}: ${objects}, ${refs}${more}`);
  };
  const hooks: PushHooks = {
    prePush: async (context) => void note("prePush", context),
    preReceive: async (context) => {
      const has = await context.objects.has([id]);
      note("preReceive", context, has[0] ? ", sees it" : "");
      return undefined;
    },
    update: async (context, command) => void note(`update ${command.ref} of`, context),
    referenceTransaction: async (context, phase) => note(phase, context),
    postReceive: async (context) => note("postReceive", context),
    postUpdate: async (context) => note("postUpdate", context),
  };
  return { log, hooks };
}

const declining = (name: keyof PushHooks, error: Error = new Error("/secret/path broke")): PushHooks => ({
  [name]: async () => {
    throw error;
  },
});

describe("attends", () => {
  it.each([true, false, "no answer"] as const)("%s: the other hooks are called or not", async (answer) => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const { log, hooks } = recorder(repository, c1, "refs/heads/a");
    const over: string[] = [];
    const attending: PushHooks = {
      ...hooks,
      attends: async ({ commands }) => {
        log.push(`attends ${commands.map(({ ref }) => ref).join(" ")}`);
        if (answer === "no answer") throw new Error("the disk is gone");
        return answer;
      },
      postPush: async (_context, { outcome }) => void over.push(outcome),
    };
    const commands: Command[] = [["refs/heads/a", undefined, c1]];
    const told = await push(repository, commands, { pack: EMPTY_PACK, service: { hooks: attending } });
    expect(verdictsOf(told)).toEqual(["ok refs/heads/a"]);
    const names = log.map((line) => line.split(" ")[0]);
    const stages = [
      "preReceive",
      "update",
      "preparing",
      "prepared",
      "committed",
      "postReceive",
      "postUpdate",
    ];
    expect(names).toEqual(["prePush", "attends", ...(answer === false ? [] : stages)]);
    expect(over).toEqual(["ok"]);
  });
});

describe("receive.updateServerInfo", () => {
  it.each([
    ["true", 1],
    ["false", 0],
  ])("%s: what dumb transports read is renewed %i times, after all hooks", async (value, times) => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.configure("receive.updateServerInfo", value);
    const log: string[] = [];
    const renewing = Object.assign(Object.create(repository) as MemoryRepository, {
      updateServerInfo: async () => {
        log.push("renewed");
        throw new Error("the disk is full");
      },
    });
    const hooks: PushHooks = { postUpdate: async () => void log.push("postUpdate") };
    const commands: Command[] = [["refs/heads/a", undefined, c1]];
    const answer = await push(renewing, commands, { pack: EMPTY_PACK, service: { hooks } });
    expect(verdictsOf(answer)).toEqual(["ok refs/heads/a"]);
    expect(log).toEqual(["postUpdate", "renewed"].slice(0, 1 + times));
    await push(renewing, [["refs/heads/a", undefined, c1]], { pack: EMPTY_PACK, service: { hooks } });
    expect(log).toHaveLength(1 + times);
  });
});

describe("hooks of a push", () => {
  it("are called in git's order", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.refs.set("refs/heads/old", c1);
    const { id, pack } = bring(repository, "first");
    const { log, hooks } = recorder(repository, id, "refs/heads/a");
    const commands: Command[] = [
      ["refs/heads/a", undefined, id],
      ["refs/heads/old", c1, undefined],
    ];
    const answer = await push(repository, commands, { pack, service: { hooks } });
    expect(verdictsOf(answer)).toEqual(["ok refs/heads/a", "ok refs/heads/old"]);
    const all = "refs/heads/a refs/heads/old";
    expect(log).toEqual([
      `prePush ${all}: not kept, as it was`,
      `preReceive ${all}: not kept, as it was, sees it`,
      `update refs/heads/old of ${all}: kept, as it was`,
      `preparing ${all}: kept, as it was`,
      `prepared ${all}: kept, as it was`,
      `committed ${all}: kept, as it was`,
      `update refs/heads/a of ${all}: kept, as it was`,
      `preparing ${all}: kept, as it was`,
      `prepared ${all}: kept, as it was`,
      `committed ${all}: kept, changed`,
      `postReceive ${all}: kept, changed`,
      `postUpdate ${all}: kept, changed`,
    ]);
  });

  it("know what came in, and what git's programs need to see it while it is not published", async () => {
    const repository = new MemoryRepository();
    const { id, pack } = bring(repository, "first");
    const seen: unknown[] = [];
    const look = async (context: ReceivedContext) => {
      const types: string[] = [];
      for await (const batch of context.received()) types.push(...batch.map(({ type }) => type));
      seen.push(types.sort().join(" "), [...context.environment.keys()]);
      return undefined;
    };
    await push(repository, [["refs/heads/a", undefined, id]], {
      pack,
      service: { hooks: { preReceive: look, update: look } },
    });
    expect(seen).toEqual(["blob commit tree", ["GIT_QUARANTINE_PATH"], "blob commit tree", []]);
  });

  it("show bytes and texts as they are, however much, if they wait", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const line = `${"x".repeat(99)}\n`;
    const hooks: PushHooks = {
      postReceive: async ({ progress, drained }) => {
        progress(new Uint8Array([0xff, 0x0a]));
        progress("é\n");
        for (let i = 0; i < 30_000; i++) {
          progress(line);
          await drained();
        }
      },
    };
    const answer = await push(repository, [["refs/heads/a", undefined, c1]], { service: { hooks } });
    expect(answer.error).toBeUndefined();
    expect(shownBy(answer)).toBe(`\xff\n\xc3\xa9\n${line.repeat(30_000)}`);
  });

  it("that throw leak nothing", async () => {
    const names = [
      "prePush",
      "preReceive",
      "update",
      "referenceTransaction",
      "postReceive",
      "postUpdate",
    ] as const;
    const ends: Record<(typeof names)[number], string> = {
      prePush: "ng refs/heads/a pre-receive hook declined",
      preReceive: "ng refs/heads/a pre-receive hook declined",
      update: "ng refs/heads/a hook declined",
      referenceTransaction: "ng refs/heads/a failed to update refs",
      postReceive: "ok refs/heads/a",
      postUpdate: "ok refs/heads/a",
    };
    for (const name of names) {
      const repository = new MemoryRepository();
      const [c1] = repository.five();
      const answer = await push(repository, [["refs/heads/a", undefined, c1]], {
        service: { hooks: declining(name) },
      });
      expect([name, ...verdictsOf(answer)]).toEqual([name, ends[name]]);
      expect(answer.text).not.toContain("secret");
      expect(answer.packets.at(-1)).toBe("flush");
    }
  });
});

describe("prePush", () => {
  it("lets an HTTP client send what it refused, up to a limit, and forgets it", async () => {
    const repository = new MemoryRepository();
    const { id } = bring(repository, "first");
    const line = `${commandLine(repository, ["refs/heads/a", undefined, id])}\0report-status`;
    let sent = 0;
    async function* input() {
      yield encodePackets([line, flush]);
      for (; sent < 10; sent++) yield new Uint8Array(100);
    }
    const service = (maxDiscardBytes: number) =>
      createGitService({
        repositories: async () => repository,
        services: ["git-receive-pack"],
        hooks: { prePush: async () => "not today" },
        limits: { maxDiscardBytes },
      });
    const ask = async (max: number, mode: "rpc" | "duplex") => {
      sent = 0;
      const call = callOf({ service: "git-receive-pack", version: 0, mode, input: input() });
      for await (const _ of service(max)(call));
      return sent;
    };
    expect(await ask(1000, "rpc")).toBe(10);
    expect(await ask(500, "rpc")).toBe(5);
    expect(await ask(1000, "duplex")).toBe(0);
  });

  it("refuses all before any of the pack is read", async () => {
    const repository = new MemoryRepository();
    const { id } = bring(repository, "first");
    async function* input() {
      const line = `${commandLine(repository, ["refs/heads/a", undefined, id])}\0report-status side-band-64k`;
      yield encodePackets([line, flush]);
      throw new Error("the pack was read");
    }
    const service = createGitService({
      repositories: async () => repository,
      services: ["git-receive-pack"],
      hooks: { prePush: async () => "not today" },
    });
    let text = "";
    const call = callOf({ service: "git-receive-pack", version: 0, mode: "duplex", input: input() });
    for await (const chunk of service(call)) text += Buffer.from(chunk).toString("latin1");
    text = text.slice(text.indexOf("\n0000") + 5); // behind the announcement
    expect(packetsOf(bandsOf(packetsOf(text)).data)).toEqual([
      "unpack ok\n",
      "ng refs/heads/a not today\n",
      "flush",
    ]);
    expect(repository.objects.quarantines).toEqual([]);
  });

  it("refuses some, or all of an atomic push", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const commands: Command[] = [
      ["refs/heads/a", undefined, c1],
      ["refs/heads/b", undefined, c1],
    ];
    const service = { hooks: { prePush: async () => new Map([["refs/heads/b", "not b"]]) } };
    const caps = "report-status side-band-64k atomic";
    expect(verdictsOf(await push(repository, commands, { service, caps }))).toEqual([
      "ng refs/heads/a atomic push failure",
      "ng refs/heads/b not b",
    ]);
    expect(repository.objects.quarantines).toEqual([]);
    expect(verdictsOf(await push(repository, commands, { service }))).toEqual([
      "ok refs/heads/a",
      "ng refs/heads/b not b",
    ]);
  });
});

describe("update", () => {
  it("is asked for each ref, and in an atomic push for none after the first that it refuses", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const commands = ["a", "b", "c"].map((name): Command => [`refs/heads/${name}`, undefined, c1]);
    const asked: string[] = [];
    const hooks: PushHooks = {
      update: async (_, { ref }) => {
        asked.push(ref.slice(11));
        return ref.endsWith("b") ? "b is closed" : undefined;
      },
    };
    const caps = "report-status side-band-64k atomic";
    expect(verdictsOf(await push(repository, commands, { service: { hooks }, caps }))).toEqual([
      "ng refs/heads/a atomic push failure",
      "ng refs/heads/b b is closed",
      "ng refs/heads/c atomic push failure",
    ]);
    expect(asked.splice(0)).toEqual(["a", "b"]);
    expect(verdictsOf(await push(repository, commands, { service: { hooks } }))).toEqual([
      "ok refs/heads/a",
      "ng refs/heads/b b is closed",
      "ok refs/heads/c",
    ]);
    expect(asked).toEqual(["a", "b", "c"]);
  });

  it("is not asked for what is refused anyway", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const asked: string[] = [];
    const hooks: PushHooks = { update: async (_, { ref }) => void asked.push(ref) };
    await push(repository, [["refs/x", undefined, c1]], { service: { hooks } });
    expect(asked).toEqual([]);
    expect(repository.objects.quarantines.map(({ state }) => state)).toEqual(["discarded"]);
  });
});

describe("referenceTransaction", () => {
  it("calls a transaction off, which the client hears of", async () => {
    for (const declined of ["preparing", "prepared"]) {
      const repository = new MemoryRepository();
      const [c1] = repository.five();
      const phases: string[] = [];
      const hooks: PushHooks = {
        referenceTransaction: async (_, phase) => {
          phases.push(phase);
          if (phase === declined) throw new Error("no");
        },
      };
      const commands: Command[] = [
        ["refs/heads/a", undefined, c1],
        ["refs/heads/main", repository.refs.id("refs/heads/main"), c1],
      ];
      const answer = await push(repository, commands, { service: { hooks } });
      expect(verdictsOf(answer)).toEqual([
        "ng refs/heads/a failed to update refs",
        "ng refs/heads/main failed to update refs",
      ]);
      expect(shownBy(answer)).toBe(
        `error: in '${declined}' phase, update aborted by the reference-transaction hook\n`,
      );
      expect(phases.at(-1)).toBe("aborted");
      expect(repository.refs.id("refs/heads/a")).toBeUndefined();
      const caps = "report-status side-band-64k atomic";
      expect(verdictsOf(await push(repository, commands, { service: { hooks }, caps }))).toEqual([
        "ng refs/heads/a atomic transaction failed",
        "ng refs/heads/main atomic transaction failed",
      ]);
    }
  });
});

describe("hooks after a push", () => {
  it("hear of what has changed alone, after the report, while the client listens", async () => {
    const repository = new MemoryRepository();
    const [c1, , , , c5] = repository.five();
    const told: unknown[] = [];
    const hooks: PushHooks = {
      postReceive: async ({ commands, progress }) => {
        told.push(commands.map(({ ref }) => ref));
        progress("deployed\n");
        await new Promise((resolve) => setTimeout(resolve, 300));
      },
      postUpdate: async ({ commands }) => void told.push(commands.map(({ ref }) => ref)),
    };
    const commands: Command[] = [
      ["refs/heads/ok", undefined, c1],
      ["refs/x", undefined, c1],
      ["refs/heads/main", c1, c5],
      ["refs/heads/none", undefined, undefined],
    ];
    const answer = await push(repository, commands, { service: { hooks, limits: { keepaliveMs: 10 } } });
    expect(told).toEqual([["refs/heads/ok"], ["refs/heads/ok"]]);
    const bands = answer.packets.map((packet) => packet.slice(0, 5));
    const report = answer.packets.findIndex((packet) => packet.includes("unpack ok"));
    const words = answer.packets.findIndex((packet) => packet.includes("deployed"));
    expect(words).toBeGreaterThan(report);
    expect(bands.slice(words).filter((packet) => packet === "\x01").length).toBeGreaterThan(1);
    expect(answer.packets.at(-1)).toBe("flush");
  });

  it("are not called when nothing has changed", async () => {
    const repository = new MemoryRepository();
    const told: string[] = [];
    const hooks: PushHooks = {
      postReceive: async () => void told.push("postReceive"),
      postUpdate: async () => void told.push("postUpdate"),
    };
    await push(repository, [["refs/heads/none", undefined, undefined]], { service: { hooks } });
    await push(repository, [["refs/x", undefined, repository.five()[0]]], { service: { hooks } });
    expect(told).toEqual([]);
  });

  it("hear of it even if the client leaves before its report", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const told: boolean[] = [];
    const service = createGitService({
      repositories: async () => repository,
      services: ["git-receive-pack"],
      hooks: { postReceive: async ({ signal }) => void told.push(signal.aborted) },
    });
    const line = `${commandLine(repository, ["refs/heads/a", undefined, c1])}\0report-status`;
    const input = [encodePackets([line, flush]), EMPTY_PACK];
    for await (const chunk of service(callOf({ service: "git-receive-pack", version: 0, input }))) {
      expect(Buffer.from(chunk).toString("latin1")).toContain("ok refs/heads/a");
      break;
    }
    expect(told).toEqual([false]);
  });
});

describe("receive.keepAlive", () => {
  it.each([
    ["0", false],
    ["-1", false],
    [undefined, true],
  ])("of %s: an empty packet now and then is %s", async (value, expected) => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    if (value !== undefined) repository.configure("receive.keepAlive", value);
    const postReceive = () => new Promise<void>((resolve) => setTimeout(resolve, 60));
    const service = { hooks: { postReceive }, limits: { keepaliveMs: 10 } };
    const answer = await push(repository, [["refs/heads/a", undefined, c1]], { service });
    expect(bandsOf(answer.packets).empty > 0).toBe(expected);
  });
});
