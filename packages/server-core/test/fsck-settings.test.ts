import { ObjectsError, relaxedFsckSeverities, type TakePackOptions } from "@x/objects";
import { encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, type FsckPreset } from "../src/index.ts";
import { encodePack, type MemoryQuarantine } from "./memory-objects.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, packetsOf, serve } from "./story.ts";

type Settings = readonly (readonly [key: string, value: string])[];

/** Pushes, and gives what the store was asked to check, what the report says and what the user was shown. */
async function push(settings: Settings, options: { fsck?: FsckPreset; failure?: Error; say?: string } = {}) {
  const repository = new MemoryRepository("sha1");
  for (const [key, value] of settings) repository.configure(key, value);
  let asked: TakePackOptions | undefined;
  const receive = repository.objects.receive.bind(repository.objects);
  repository.objects.receive = async () => {
    const quarantine = (await receive()) as MemoryQuarantine;
    const take = quarantine.takePack.bind(quarantine);
    quarantine.takePack = (chunks, given) => {
      asked = given;
      if (options.say !== undefined) given.onMessage?.(options.say);
      if (options.failure !== undefined) throw options.failure;
      return take(chunks, given);
    };
    return quarantine;
  };
  const id = repository.commit("new", []);
  const line = `${"0".repeat(40)} ${id} refs/heads/main\0 report-status side-band-64k quiet object-format=sha1`;
  const input = [encodePackets([line, flush]), encodePack([])];
  const service = options.fsck === undefined ? {} : { fsck: options.fsck };
  const answer = await serve(repository, {
    service: "git-receive-pack",
    version: 0,
    input,
    options: service,
  });
  const bands = bandsOf(answer.packets);
  return {
    fsck: asked?.fsck,
    limits: asked?.limits,
    report: packetsOf(bands.data),
    shown: bands.progress,
    error: answer.error,
  };
}

describe("how pushed objects are checked", () => {
  const none = { severities: new Map(), maxPathnameBytes: undefined, skipLists: [] };

  it("is strict unless somebody says otherwise, the repository last", async () => {
    expect((await push([])).fsck).toEqual(none);
    expect((await push([], { fsck: "off" })).fsck).toBeUndefined();
    expect((await push([["receive.fsckObjects", "false"]])).fsck).toBeUndefined();
    expect((await push([["transfer.fsckObjects", "false"]])).fsck).toBeUndefined();
    expect(
      (
        await push([
          ["transfer.fsckObjects", "false"],
          ["receive.fsckObjects", "true"],
        ])
      ).fsck,
    ).toEqual(none);
    expect((await push([["transfer.fsckObjects", "yes"]], { fsck: "off" })).fsck).toEqual(none);
  });

  it("is relaxed when asked for, but for what the repository says", async () => {
    const { fsck } = await push([["receive.fsck.badDate", "error"]], { fsck: "relaxed" });
    expect(fsck?.severities).toEqual(new Map([...relaxedFsckSeverities, ["badDate", "error"]]));
  });

  it("takes the repository's own severities and lists", async () => {
    const { fsck, shown } = await push([
      ["receive.fsck.missingEmail", "warn"],
      ["receive.fsck.noSuchThing", "warn"],
      ["receive.fsck.skipList", "/some/where"],
      ["receive.fsck.largePathname", "error:100"],
    ]);
    expect(fsck).toEqual({
      severities: new Map([
        ["missingEmail", "warn"],
        ["largePathname", "error"],
      ]),
      maxPathnameBytes: 100,
      skipLists: ["/some/where"],
    });
    expect(shown.toLowerCase()).toContain("warning: skipping unknown msg id 'nosuchthing'\n");
  });

  it("ends the push in git's words when the settings are no good", async () => {
    const { report, shown } = await push([["receive.fsck.unterminatedHeader", "warn"]]);
    expect(report[0]).toBe("unpack index-pack abnormal exit\n");
    expect(shown).toMatch(/^fatal: Cannot demote unterminatedheader to warn\n$/i);
    expect((await push([["receive.fsckObjects", "perhaps"]])).error?.message).toBe(
      "bad boolean config value 'perhaps' for 'receive.fsckobjects'",
    );
  });

  it("shows what was found, even to those who want no progress", async () => {
    const failure = new ObjectsError("objects/refused", "fsck error in packed object");
    const said = "error: object 1234: missingEmail: invalid author/committer line - missing email\n";
    const { report, shown } = await push([], { failure, say: said });
    expect(shown).toBe(`${said}fatal: fsck error in packed object\n`);
    expect(report).toEqual([
      "unpack index-pack abnormal exit\n",
      "ng refs/heads/main unpacker error\n",
      "flush",
    ]);
  });
});

describe("what a pushed pack may cost", () => {
  it("is as the repository has it, where git knows such a setting", async () => {
    const { limits } = await push([]);
    expect(limits).toEqual(DEFAULT_LIMITS.receive);
    const own = await push([
      ["receive.maxInputSize", "5k"],
      ["core.maxTreeDepth", "7"],
    ]);
    expect(own.limits).toEqual({ ...DEFAULT_LIMITS.receive, maxPackBytes: 5120, maxTreeDepth: 7 });
    expect((await push([["receive.maxInputSize", "0"]])).limits).toEqual(DEFAULT_LIMITS.receive);
  });
});
