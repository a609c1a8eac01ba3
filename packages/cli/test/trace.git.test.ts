import { readdirSync, readFileSync } from "node:fs";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { encodePackets, flush } from "@x/pktline";
import { beforeAll, describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal } from "./terminal.ts";

let root = "";
let head = "";
beforeAll(async () => {
  root = temporaryDirectory("trace");
  await git(["init", "-q", root]);
  await git(["commit", "-q", "--allow-empty", "-m", "one"], { cwd: root });
  await git(["config", "transfer.advertiseSID", "true"], { cwd: root });
  head = await git(["rev-parse", "HEAD"], { cwd: root });
});

async function fetch(env: Record<string, string>, first = `want ${head} session-id=theirs\n`) {
  const wire = encodePackets([first, "deepen 1\n", flush, "done\n"]);
  const terminal = new FakeTerminal(env, Buffer.from(wire).toString("latin1"));
  return { status: await main(["upload-pack", "--stateless-rpc", root], terminal), terminal };
}

function events(directory: string): Record<string, unknown>[] {
  const [name = ""] = readdirSync(directory);
  const text = readFileSync(`${directory}/${name}`, "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
}

describe("xgit upload-pack", () => {
  it("GIT_TRACE_PACKET: a line for each packet", async () => {
    const path = `${temporaryDirectory("packets")}/trace`;
    for (let i = 0; i < 2; i++)
      expect((await fetch({ GIT_TRACE_PACKET: path, GIT_TRACE_BARE: "1" })).status).toBe(0);
    const once = [
      `packet:  upload-pack< want ${head} session-id=theirs`,
      "packet:  upload-pack< deepen 1",
      "packet:  upload-pack< 0000",
      "packet:  upload-pack< done",
      `packet:  upload-pack> shallow ${head}`,
      "packet:  upload-pack> 0000",
      "packet:  upload-pack> NAK",
    ];
    expect(readFileSync(path, "utf8").trimEnd().split("\n").sort()).toEqual([...once, ...once].sort());
    const { terminal } = await fetch({ GIT_TRACE_PACKET: "1" });
    expect(terminal.err).toMatch(/^\d\d:\d\d:\d\d packet: {2}upload-pack< want/m);
  });

  it("GIT_TRACE2_EVENT: who fetches what, and how it ended", async () => {
    const directory = temporaryDirectory("events");
    expect((await fetch({ GIT_TRACE2_EVENT: directory, GIT_TRACE2_PARENT_SID: "ours" })).status).toBe(0);
    const list = events(directory);
    expect(list.map(({ event }) => event)).toEqual([
      "version",
      "start",
      "data",
      "data_json",
      "data",
      "exit",
      "atexit",
    ]);
    expect(list.every(({ sid }) => `${sid}`.startsWith("ours/"))).toBe(true);
    expect(list[2]).toMatchObject({ category: "transfer", key: "negotiated-version", value: "0" });
    expect(list[3]).toMatchObject({
      category: "upload-pack",
      key: "fetch-info",
      value: { haves: 0, wants: 1, depth: 1, shallows: 0, "deepen-since": false, filter: null },
    });
    expect(list[4]).toMatchObject({ category: "transfer", key: "client-sid", value: "theirs" });
    expect(list[5]).toMatchObject({ code: 0 });
  });

  it("GIT_TRACE2_EVENT: a fetch that failed", async () => {
    const directory = temporaryDirectory("events");
    const { status } = await fetch({ GIT_TRACE2_EVENT: directory }, `want ${"1".repeat(40)}\n`);
    expect(status).toBe(128);
    expect(events(directory).at(-1)).toMatchObject({ event: "atexit", code: 128 });
  });
});
