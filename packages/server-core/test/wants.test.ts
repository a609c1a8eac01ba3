import { type ObjectId, ObjectsError } from "@x/objects";
import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService, type GitService, type Limits } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { callOf, packetsOf, serve } from "./story.ts";

/** Main has five commits; `c6` is hidden, `c7` is held by no ref, and its text by nothing else. */
function setUp() {
  const repository = new MemoryRepository();
  const [c1, c2, , , c5] = repository.five();
  const c6 = repository.commit("c6", [c5]);
  repository.refs.set("refs/hidden/six", c6);
  repository.configure("transfer.hideRefs", "refs/hidden");
  const c7 = repository.commit("c7", [c5]);
  const tag = repository.tag("v1", c2);
  repository.refs.set("refs/tags/v1", tag);
  const ids = {
    "a tip": c5,
    "a root": c1,
    "a tag": tag,
    "a tree": repository.tree("c2"),
    "a blob": repository.blob("c2"),
    "a hidden tip": c6,
    "a hidden blob": repository.blob("c6"),
    "a lost commit": c7,
    "a lost blob": repository.blob("c7"),
    nothing: "ab".repeat(20) as ObjectId,
  };
  return { repository, ids };
}

const fetchV2 = (...ids: string[]) =>
  encodePackets(["command=fetch", delim, ...ids.map((id) => `want ${id}\n`), "done\n", flush]);
const fetchV0 = (...ids: string[]) =>
  encodePackets([...ids.map((id) => `want ${id} ofs-delta\n`), flush, "done\n"]);

const REACHED = ["a tip", "a root", "a tag", "a tree", "a blob"] as const;
const UNREACHED = ["a hidden tip", "a hidden blob", "a lost commit", "a lost blob", "nothing"] as const;
const WAYS = [
  [0, "duplex"],
  [0, "rpc"],
  [1, "duplex"],
  [2, "duplex"],
  [2, "rpc"],
] as const;

describe.each(WAYS)("by default, in v%d and %s", (version, mode) => {
  const ask = async (...names: (typeof REACHED | typeof UNREACHED)[number][]) => {
    const { repository, ids } = setUp();
    const input = [(version === 2 ? fetchV2 : fetchV0)(...names.map((name) => ids[name]))];
    return { ...(await serve(repository, { version, mode, input })), ids };
  };

  it.each(REACHED)("gives %s", async (name) => {
    const { text, error } = await ask(name);
    expect(error).toBeUndefined();
    expect(text).toContain("PACK\n");
  });

  it.each(UNREACHED)("refuses %s, in the same words", async (name) => {
    const { packets, error, ids } = await ask(name);
    expect(packets.at(-1)).toBe(`ERR upload-pack: not our ref ${ids[name]}`);
    expect(error).toMatchObject({ code: "server-core/refused", reported: true });
  });

  it("names the first that it refuses", async () => {
    const { packets, ids } = await ask("a tip", "a lost blob", "a blob", "nothing");
    expect(packets.at(-1)).toBe(`ERR upload-pack: not our ref ${ids["a lost blob"]}`);
  });
});

describe("settings hold in v2 too", () => {
  const ask = async (
    settings: Readonly<Record<string, string>>,
    name: keyof ReturnType<typeof setUp>["ids"],
  ) => {
    const { repository, ids } = setUp();
    for (const [kind, value] of Object.entries(settings))
      repository.configure(`uploadpack.allow${kind}SHA1InWant`, value);
    const { text } = await serve(repository, { input: [fetchV2(ids[name])] });
    return !text.includes("ERR upload-pack: not our ref");
  };

  it("any object", async () => {
    for (const name of REACHED) expect(await ask({ Any: "true" }, name)).toBe(true);
    for (const name of UNREACHED) expect(await ask({ Any: "true" }, name)).toBe(name !== "nothing");
  });

  it("tips of hidden refs", async () => {
    expect(await ask({ Tip: "true" }, "a hidden tip")).toBe(true);
    expect(await ask({ Tip: "true" }, "a root")).toBe(true);
    expect(await ask({ Tip: "true" }, "a lost commit")).toBe(false);
    expect(await ask({ Tip: "false" }, "a hidden tip")).toBe(false);
    expect(await ask({ Tip: "false" }, "a blob")).toBe(true);
  });

  it("nothing but tips, where a setting says so", async () => {
    for (const settings of [{ Reachable: "false" }, { Any: "false" }]) {
      expect(await ask(settings, "a tip")).toBe(true);
      expect(await ask(settings, "a root")).toBe(false);
      expect(await ask(settings, "a blob")).toBe(false);
    }
  });

  it("a value that is none ends the service before it says anything", async () => {
    const { repository } = setUp();
    repository.configure("uploadpack.allowAnySHA1InWant", "perhaps");
    const { text, error } = await serve(repository, { version: 0, mode: "duplex" });
    expect(text).toBe("");
    expect(error).toMatchObject({ code: "server-core/repository-unusable", reported: false });
  });
});

describe("a ref that moves between announcement and request", () => {
  function server(repository: MemoryRepository, limits: Partial<Limits> = {}) {
    const service = createGitService({ repositories: async () => repository, limits });
    return async (version: 0 | 2, mode: "advertise" | "rpc", input: Uint8Array[] = []) => {
      let text = "";
      try {
        for await (const chunk of service(callOf({ version, mode, input })))
          text += String.fromCharCode(...chunk);
      } catch {
        // The text says it.
      }
      return text;
    };
  }
  const ls = encodePackets(["command=ls-refs", delim, flush]);

  it.each([0, 2] as const)("can be wanted where it was, in stateless v%d", async (version) => {
    const { repository, ids } = setUp();
    const ask = server(repository);
    await (version === 0 ? ask(0, "advertise") : ask(2, "rpc", [ls]));
    repository.refs.set("refs/heads/main", ids["a root"]);
    const request = (version === 2 ? fetchV2 : fetchV0)(ids["a tip"]);
    expect(await ask(version, "rpc", [request])).toContain("PACK\n");
    // Nobody was shown this one.
    expect(await ask(version, "rpc", [(version === 2 ? fetchV2 : fetchV0)(ids["a hidden tip"])])).toContain(
      "ERR upload-pack: not our ref",
    );
  });

  it("can not, if nobody was shown it", async () => {
    const { repository, ids } = setUp();
    const ask = server(repository);
    repository.refs.set("refs/heads/main", ids["a root"]);
    expect(await ask(2, "rpc", [fetchV2(ids["a tip"])])).toContain("not our ref");
  });

  it("can not, if it was shown to those who see more", async () => {
    const { repository, ids } = setUp();
    const ask = server(repository);
    repository.settings.length = 0;
    expect(await ask(2, "rpc", [ls])).toContain(ids["a hidden tip"]);
    repository.configure("transfer.hideRefs", "refs/hidden");
    expect(await ask(2, "rpc", [fetchV2(ids["a hidden tip"])])).toContain("not our ref");
  });

  it("can not, when it is no longer stored", async () => {
    const { repository, ids } = setUp();
    const ask = server(repository);
    await ask(2, "rpc", [ls]);
    repository.refs.set("refs/heads/main", ids["a root"]);
    repository.lose(ids["a tip"]);
    expect(await ask(2, "rpc", [fetchV2(ids["a tip"])])).toContain("not our ref");
  });

  it.each([{ shownTipsMs: 0 }, { maxShownTips: 0 }])("can not, beyond %j", async (limits) => {
    const { repository, ids } = setUp();
    const ask = server(repository, limits);
    await ask(2, "rpc", [ls]);
    repository.refs.set("refs/heads/main", ids["a root"]);
    expect(await ask(2, "rpc", [fetchV2(ids["a tip"])])).toContain("not our ref");
  });
});

describe("a walk that ends in what is lost or broken", () => {
  it.each(["objects/not-found", "objects/corrupt"] as const)("gives nothing: %s", async (code) => {
    const { repository, ids } = setUp();
    repository.objects.unreachable = () => Promise.reject(new ObjectsError(code, "broken"));
    for (const version of [0, 2] as const) {
      const request = (version === 2 ? fetchV2 : fetchV0)(ids["a tip"], ids["a blob"]);
      const { packets, error } = await serve(repository, { version, input: [request] });
      expect(packets).toEqual([`ERR upload-pack: not our ref ${ids["a blob"]}`]);
      expect(error?.code).toBe("server-core/refused");
    }
  });

  it("for want of time says so", async () => {
    const { repository, ids } = setUp();
    repository.objects.unreachable = () =>
      Promise.reject(new ObjectsError("objects/limit-exceeded", "too many trees"));
    const { packets } = await serve(repository, { input: [fetchV2(ids["a blob"])] });
    expect(packets).toEqual(["ERR too many trees"]);
  });
});

describe("hostile wants", () => {
  it("a million times the same cost one", async () => {
    const { repository, ids } = setUp();
    const line = encodePackets([`want ${ids["a blob"]}\n`]);
    const flood = new Uint8Array(line.length * 200_000);
    for (let at = 0; at < flood.length; at += line.length) flood.set(line, at);
    let asked = 0;
    const { unreachable } = repository.objects;
    repository.objects.unreachable = (ids, ...rest) => {
      asked += ids.length;
      return unreachable.call(repository.objects, ids, ...rest);
    };
    const input = [encodePackets(["command=fetch", delim]), flood, encodePackets(["done", flush])];
    expect((await serve(repository, { input })).text).toContain("PACK\n");
    expect(asked).toBe(1);
  });

  it("more than a repository can have end the request", async () => {
    const { repository } = setUp();
    const ids = Array.from({ length: 2000 }, (_, i) => i.toString(16).padStart(40, "0"));
    const { packets, error } = await serve(repository, {
      input: [fetchV2(...ids)],
      options: { limits: { maxWants: 100 } },
    });
    expect(packets).toEqual(["ERR the request exceeds maxWants (100)"]);
    expect(error?.code).toBe("server-core/limit-exceeded");
  });

  it("are looked for in the same places, hidden or missing", async () => {
    const places = async (name: "a hidden tip" | "nothing") => {
      const { repository, ids } = setUp();
      const looked: string[] = [];
      const { get, list } = repository.refs;
      repository.refs.get = (ref) => {
        looked.push(ref);
        return get.call(repository.refs, ref);
      };
      repository.refs.list = (options) => {
        looked.push("list");
        return list.call(repository.refs, options);
      };
      repository.configure("uploadpack.allowReachableSHA1InWant", "false");
      await serve(repository, { input: [fetchV2(ids[name])] });
      return looked;
    };
    expect(await places("nothing")).toEqual(await places("a hidden tip"));
    expect(await places("nothing")).toContain("list");
  });

  it("are answered out of memory when they come again", async () => {
    const { repository, ids } = setUp();
    let walks = 0;
    const { unreachable } = repository.objects;
    repository.objects.unreachable = (...args) => {
      walks++;
      return unreachable.apply(repository.objects, args);
    };
    const askerOf = (limits: Partial<Limits>) => {
      const service = createGitService({ repositories: async () => repository, limits });
      return (id: string) => askOf(service, id);
    };
    const askOf = async (service: GitService, id: string) => {
      let text = "";
      try {
        for await (const chunk of service(callOf({ input: [fetchV2(id)] })))
          text += packetsOf(String.fromCharCode(...chunk)).join("");
      } catch {
        return "refused";
      }
      return text.includes("PACK") ? "given" : text;
    };
    const ask = askerOf({});
    for (let i = 0; i < 5; i++) expect(await ask(ids["a lost blob"])).toBe("refused");
    expect(walks).toBe(1);
    for (let i = 0; i < 5; i++) expect(await ask(ids["a blob"])).toBe("given");
    expect(walks).toBe(2);
    // Another state of the refs is another question.
    repository.refs.set("refs/heads/new", ids["a lost commit"]);
    expect(await ask(ids["a lost blob"])).toBe("given");
    repository.refs.stored.delete("refs/heads/new");
    expect(await ask(ids["a lost blob"])).toBe("refused");
    expect(walks).toBe(3);
    // Where one answer is kept, the one before is forgotten.
    walks = 0;
    const other = askerOf({ maxReachAnswers: 1 });
    for (const name of ["a blob", "a lost blob", "a blob", "a blob"] as const)
      expect(await other(ids[name])).toBe(name === "a blob" ? "given" : "refused");
    expect(walks).toBe(3);
  });
});

it("asks only once whether what clients were shown is stored", async () => {
  const { repository, ids } = setUp();
  const asked: string[][] = [];
  const has = repository.objects.has.bind(repository.objects);
  repository.objects.has = (some: readonly ObjectId[]) => {
    asked.push([...some]);
    return has(some);
  };
  const service = createGitService({ repositories: async () => repository });
  const serveRpc = async (input: Uint8Array) => {
    for await (const _ of service(callOf({ input: [input] }))) void _;
  };
  const asksFor = (id: string) => asked.splice(0).filter((some) => some.includes(id)).length;
  const tip = ids["a tip"];
  await serveRpc(fetchV2(tip));
  expect(asksFor(tip)).toBe(1);
  // Found, but not shown to anybody: it takes as long as what is missing.
  await serveRpc(fetchV2(tip));
  expect(asksFor(tip)).toBe(1);
  await serveRpc(encodePackets(["command=ls-refs", delim, flush]));
  asked.length = 0;
  await serveRpc(fetchV2(tip));
  expect(asksFor(tip)).toBe(0);
});
