import type { ObjectId } from "@x/objects";
import { delim, encodeLatin1, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { bandsOf, contents, serve } from "./story.ts";

const URI = "https://cdn.example.com/pack";
const HASH = "cd".repeat(20);
const OTHER_HASH = "ef".repeat(20);

function makeRepository() {
  const repository = new MemoryRepository();
  const commits = repository.five();
  repository.configure("uploadpack.allowSidebandAll", "true");
  return { repository, commits, tip: commits[4] };
}

function fetch(repository: MemoryRepository, ...lines: string[]) {
  const input = [encodePackets(["command=fetch", delim, ...lines, flush])];
  return serve(repository, { input, options: { limits: { keepaliveMs: 10 } } });
}

describe("sideband-all", () => {
  it("puts every packet with a payload on a band, and no other", async () => {
    const { repository, commits, tip } = makeRepository();
    const [, , c3, c4] = commits;
    const { packets } = await fetch(
      repository,
      `want ${tip}`,
      `have ${c3}`,
      `shallow ${c3}`,
      "deepen 2",
      "sideband-all",
    );
    expect(packets.slice(0, 9)).toEqual([
      "\x01acknowledgments\n",
      `\x01ACK ${c3}\n`,
      "\x01ready\n",
      "delim",
      "\x01shallow-info\n",
      `\x01shallow ${c4}`,
      "delim",
      "\x01packfile\n",
      "\x02Counting objects: 6, done.\n",
    ]);
    expect(packets.at(-1)).toBe("flush");
  });

  it("puts what is said last on band 3 once it was asked for, and the next command's as ever", async () => {
    const { repository } = makeRepository();
    const bad = ["sideband-all", "hello"];
    const { packets } = await fetch(repository, ...bad);
    expect(packets).toEqual(["\x03unexpected line: 'hello'\n"]);
    const { packets: before } = await fetch(repository, ...bad.reverse());
    expect(before).toEqual(["ERR unexpected line: 'hello'"]);
    const input = [
      encodePackets(["command=fetch", delim, "sideband-all", flush]),
      encodePackets(["command=nonsense", flush]),
    ];
    const after = await serve(repository, { mode: "duplex", input });
    expect(after.packets.at(-1)).toBe("ERR invalid command 'nonsense'");
  });

  it("is an unknown word, and not announced, where it is off", async () => {
    const { repository } = makeRepository();
    repository.configure("uploadpack.allowSidebandAll", "false");
    expect((await fetch(repository, "sideband-all")).packets).toEqual([
      "ERR unexpected line: 'sideband-all'",
    ]);
    const announced = (on: string) => {
      repository.configure("uploadpack.allowSidebandAll", on);
      return serve(repository, { mode: "advertise" });
    };
    expect((await announced("false")).packets).toContain("fetch=shallow wait-for-done\n");
    expect((await announced("true")).packets).toContain("fetch=shallow wait-for-done sideband-all\n");
  });
});

describe("packfile-uris", () => {
  function withUris() {
    const made = makeRepository();
    const blobs = ["c1", "c3", "c5", "unreachable"].map((name) => made.repository.blob(name));
    for (const [i, uri] of [`${URI}-1`, "http://plain/3", `${URI}-5`, `${URI}-none`].entries())
      made.repository.configure("uploadpack.blobPackfileUri", `${blobs[i]} ${HASH} ${uri}`);
    return { ...made, blobs: blobs as [ObjectId, ObjectId, ObjectId, ObjectId] };
  }

  it("are announced where some are configured", async () => {
    const { packets } = await serve(withUris().repository, { mode: "advertise" });
    expect(packets).toContain("fetch=shallow wait-for-done sideband-all packfile-uris\n");
    const { repository } = makeRepository();
    repository.configure("uploadpack.blobPackfileUri", "true"); // without a value, that is
    const { packets: none } = await serve(repository, { mode: "advertise" });
    expect(none).toContain("fetch=shallow wait-for-done sideband-all\n");
  });

  it("tells where blobs of the pack are that are left out of it, by protocols that the client knows", async () => {
    const { repository, tip, blobs } = withUris();
    const { packets } = await fetch(
      repository,
      `want ${tip}`,
      "done",
      "sideband-all",
      "packfile-uris ftp,https",
    );
    expect(packets.slice(0, 6)).toEqual([
      "\x02Counting objects: 15, done.\n",
      "\x01packfile-uris\n",
      `\x01${HASH} ${URI}-1\n`,
      `\x01${HASH} ${URI}-5\n`,
      "delim",
      "\x01packfile\n",
    ]);
    const { data } = bandsOf(packets.slice(6));
    expect(contents(data).filter((line) => line.startsWith("blob"))).toEqual([
      "blob c2",
      "blob c3",
      "blob c4",
    ]);
    expect(repository.objects.orders[0]?.elsewhere).toEqual([blobs[0], blobs[2], blobs[3]]);
  });

  it("stand behind the other sections", async () => {
    const { repository, tip, commits } = withUris();
    const { packets } = await fetch(
      repository,
      `want ${tip}`,
      `have ${commits[2]}`,
      "deepen 9",
      "no-progress",
      "sideband-all",
      "packfile-uris https",
    );
    const heads = packets.filter((packet) => packet === "delim" || /^[a-z-]+\n$/.test(packet.slice(1)));
    expect(heads).toEqual([
      "\x01acknowledgments\n",
      "\x01ready\n",
      "delim",
      "\x01shallow-info\n",
      "delim",
      "\x01packfile-uris\n",
      "delim",
      "\x01packfile\n",
    ]);
  });

  it("leave no section where nothing of it is in the pack", async () => {
    const { repository, commits } = withUris();
    const { packets } = await fetch(
      repository,
      `want ${commits[1]}`,
      `have ${commits[0]}`,
      "done",
      "sideband-all",
      "packfile-uris https",
      "no-progress",
    );
    expect(packets[0]).toBe("\x01packfile\n");
  });

  it("are nothing to a client without sideband-all, or with other protocols", async () => {
    for (const lines of [["packfile-uris https"], ["sideband-all", "packfile-uris httpsx,http:"]]) {
      const { repository, tip } = withUris();
      const { packets } = await fetch(repository, `want ${tip}`, "done", "no-progress", ...lines);
      expect(packets[0]?.replace("\x01", "")).toBe("packfile\n");
      expect(repository.objects.orders[0]?.elsewhere).toBeUndefined();
    }
  });

  it("may be asked for once, and where they are on", async () => {
    const { repository } = withUris();
    const twice = ["packfile-uris https", "packfile-uris https"];
    expect((await fetch(repository, ...twice)).packets).toEqual([
      "ERR multiple packfile-uris lines forbidden",
    ]);
    expect((await fetch(repository, "sideband-all", ...twice)).packets).toEqual([
      "\x03multiple packfile-uris lines forbidden\n",
    ]);
    expect((await fetch(makeRepository().repository, ...twice)).packets).toEqual([
      "ERR unexpected line: 'packfile-uris https'",
    ]);
  });

  it("are passed over where they cannot be read, or name a blob again", async () => {
    const { repository, tip, blobs } = withUris();
    for (const value of [
      "",
      "x",
      `${blobs[0]} ${OTHER_HASH} ${URI}-again`,
      `${blobs[1]} ${HASH}`,
      `x ${HASH} ${URI}`,
    ])
      repository.configure("uploadpack.blobPackfileUri", value);
    const { text } = await fetch(repository, `want ${tip}`, "done", "sideband-all", "packfile-uris https");
    expect(text).not.toContain("again");
    expect(text.match(/cdn/g)).toHaveLength(2);
  });

  it("keep a silent line alive on band 2 before the section, and on band 1 in the pack", async () => {
    const { repository, tip } = withUris();
    const pause = () => new Promise((resolve) => setTimeout(resolve, 40));
    repository.objects.pack = async function* () {
      await pause();
      yield { kind: "elsewhere", ids: [] };
      yield { kind: "bytes", bytes: encodeLatin1("PA") };
      await pause();
      yield { kind: "bytes", bytes: encodeLatin1("CK") };
    };
    const { packets } = await fetch(repository, `want ${tip}`, "done", "sideband-all", "packfile-uris https");
    const heading = packets.indexOf("\x01packfile\n");
    expect(new Set(packets.slice(0, heading))).toEqual(new Set(["\x02"]));
    expect(new Set(packets.slice(heading + 1))).toEqual(new Set(["\x01PA", "\x01", "\x01CK", "flush"]));
  });
});
