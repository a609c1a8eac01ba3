import { encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService, type GitServiceOptions, type Logger, ServiceError } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { type CallOptions, callOf, section, serve } from "./story.ts";

interface Line {
  readonly level: string;
  readonly fields: Record<string, unknown>;
}

function recorder(): { lines: Line[]; logger: Logger } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object) => void lines.push({ level, fields: { ...fields } });
  return { lines, logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

async function failure(options: GitServiceOptions, call: CallOptions = {}): Promise<ServiceError> {
  try {
    for await (const _ of createGitService(options)(callOf(call)));
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

const nothing = async () => undefined;

describe("a call that cannot be served is left to the transport to word", () => {
  it("when there is no such repository", async () => {
    expect(await failure({ repositories: nothing })).toMatchObject({
      code: "server-core/repository-not-found",
      reported: false,
    });
  });

  it("when the service is switched off, as pushing is unless it is switched on", async () => {
    const repositories = async () => new MemoryRepository();
    const off = { code: "server-core/service-disabled", reported: false };
    expect(await failure({ repositories }, { service: "git-receive-pack" })).toMatchObject(off);
    expect(await failure({ repositories, services: [] })).toMatchObject(off);
  });

  it("when the repository is unusable, with the resolver's own words", async () => {
    const repositories = async () => {
      throw new Error("unknown repository extension: foo");
    };
    expect(await failure({ repositories })).toMatchObject({
      code: "server-core/repository-unusable",
      message: "unknown repository extension: foo",
      reported: false,
    });
  });

  it("when announcing fails before its first byte", async () => {
    const repository = new MemoryRepository();
    repository.refs.get = async () => {
      throw new Error("/srv/refs broke");
    };
    for (const mode of ["advertise", "duplex"] as const) {
      const { text, error } = await serve(repository, { mode, version: 0 });
      expect(text).toBe("");
      expect(error).toMatchObject({ code: "server-core/internal", reported: false });
      expect(error?.message).not.toContain("srv");
    }
  });
});

describe("a call that fails on its way", () => {
  it("says so itself, once anything has been sent", async () => {
    const repository = new MemoryRepository();
    const commit = repository.commit("a");
    for (let i = 0; i < 3000; i++) repository.refs.set(`refs/heads/b${i}`, commit);
    repository.refs.batchSize = 1500;
    let batches = 0;
    const has = repository.objects.peel.bind(repository.objects);
    repository.objects.peel = async (ids) => {
      if (++batches > 1) throw new Error("broke");
      return has(ids);
    };
    const { packets, error } = await serve(repository, { mode: "advertise", version: 0 });
    expect(packets.at(-1)).toBe("ERR internal server error");
    expect(error?.reported).toBe(true);
  });

  it("tells the client nothing when the client is gone", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield encodePackets(["command=ls-refs"]);
      throw new Error("ECONNRESET");
    }
    const { text, error } = await serve(new MemoryRepository(), { input: broken() });
    expect(text).toBe("");
    expect(error).toMatchObject({ code: "server-core/aborted" });
  });

  it("passes on what the transport says of its input", async () => {
    async function* tooLong(): AsyncGenerator<Uint8Array> {
      yield encodePackets(["command=ls-refs"]);
      throw new ServiceError("server-core/limit-exceeded", "the body is too long");
    }
    const { packets, error } = await serve(new MemoryRepository(), { input: tooLong() });
    expect(packets).toEqual(["ERR the body is too long"]);
    expect(error).toMatchObject({ code: "server-core/limit-exceeded", reported: true });
  });

  it("ends at once when it is called off, before it began or while it waits", async () => {
    const controller = new AbortController();
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
    };
    const waiting = serve(new MemoryRepository(), { input: silent, signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    expect(await waiting).toMatchObject({ text: "", error: { code: "server-core/aborted" } });
    const late = await serve(new MemoryRepository(), { input: silent, signal: controller.signal });
    expect(late.error?.code).toBe("server-core/aborted");
  });

  it("does not end its input: the transport does", async () => {
    let ended = false;
    async function* input() {
      try {
        yield section("command=ls-refs");
        yield section("command=ls-refs");
      } finally {
        ended = true;
      }
    }
    await serve(new MemoryRepository(), { input: input() });
    expect(ended).toBe(false);
  });
});

describe("the log", () => {
  it("has one line for a call, with what it cost", async () => {
    const repository = new MemoryRepository();
    repository.five();
    const { lines, logger } = recorder();
    const input = [section("command=ls-refs")];
    const { text } = await serve(repository, {
      input,
      peer: { address: "192.0.2.9", user: "ann" },
      options: { logger },
    });
    expect(lines).toEqual([
      {
        level: "info",
        fields: {
          service: "git-upload-pack",
          repository: "/demo.git",
          transport: "test",
          version: 2,
          mode: "rpc",
          peer: "192.0.2.9",
          user: "ann",
          bytesIn: input[0]?.length,
          bytesOut: text.length,
          refs: 2,
          ms: expect.any(Number),
          outcome: "ok",
        },
      },
    ]);
  });

  it("counts what a push asked for and what it was refused", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    const { lines, logger } = recorder();
    const zero = "0".repeat(40);
    const input = [
      encodePackets([`${c1} ${zero} refs/heads/none\0report-status`, `${c1} ${zero} refs/heads/main`, flush]),
    ];
    await serve(repository, { service: "git-receive-pack", version: 0, input, options: { logger } });
    expect(lines).toMatchObject([{ level: "info", fields: { commands: 2, rejected: 2, outcome: "ok" } }]);
  });

  it("warns of failures with their reason, and lets nobody write lines into it", async () => {
    const { lines, logger } = recorder();
    const repositories = async () => {
      throw new Error("bad\nname");
    };
    await failure({ repositories, logger }, { repository: "/a\r\nINFO fake\x1b[2J" });
    expect(lines).toMatchObject([
      {
        level: "warn",
        fields: {
          outcome: "server-core/repository-unusable",
          reason: "bad\\x0aname",
          repository: "/a\\x0d\\x0aINFO fake\\x1b[2J",
        },
      },
    ]);
  });

  it("keeps what the client is not told", async () => {
    const repository = new MemoryRepository();
    repository.refs.get = async () => {
      throw new Error("/srv/refs broke");
    };
    const { lines, logger } = recorder();
    await serve(repository, { input: [section("command=ls-refs")], options: { logger } });
    expect(lines).toMatchObject([
      { level: "error", fields: { reason: "internal server error: /srv/refs broke" } },
    ]);
  });

  it("says when the consumer left", async () => {
    const repository = new MemoryRepository();
    const { lines, logger } = recorder();
    const service = createGitService({ repositories: async () => repository, logger });
    for await (const _ of service(callOf({ mode: "advertise" }))) break;
    expect(lines).toMatchObject([{ level: "info", fields: { outcome: "left" } }]);
  });
});
