import { delim, encodePackets, flush, responseEnd } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { section, serve } from "./story.ts";

describe("a v2 request", () => {
  it.each([
    [["command=nope"], "invalid command 'nope'"],
    [["command=ls-refs=x"], "invalid command 'ls-refs=x'"],
    [["ls-refs"], "unknown capability 'ls-refs'"],
    [
      ["command=fetch", "command=ls-refs"],
      "command 'ls-refs' requested after already requesting command 'fetch'",
    ],
    [["agent=x"], "no command requested"],
    [[""], "unknown capability ''"],
    [["command=ls-refs", "bogus=1"], "unknown capability 'bogus=1'"],
    [["command=ls-refs", "session-id=1"], "unknown capability 'session-id=1'"],
    [["command=ls-refs", "object-format=sha256"], "mismatched object format: server sha1; client sha256"],
    [["command=ls-refs", "object-format=md5"], "unknown object format 'md5'"],
    [["command=\x1b[31m"], "invalid command '?[31m'"],
  ])("of %j is refused with its reason", async (lines, reason) => {
    const { packets, error } = await serve(new MemoryRepository(), { input: [section(...lines)] });
    expect(packets).toEqual([`ERR ${reason}`]);
    expect(error).toMatchObject({ reported: true, message: reason });
  });

  it("may leave object-format out only where it is sha1", async () => {
    const { packets } = await serve(new MemoryRepository("sha256"), { input: [section("command=ls-refs")] });
    expect(packets).toEqual(["ERR mismatched object format: server sha256; client sha1"]);
  });

  it("may carry server options", async () => {
    const lines = ["server-option=a=b", "command=ls-refs", "server-option=", "agent=x"];
    expect((await serve(new MemoryRepository(), { input: [section(...lines)] })).packets).toEqual(["flush"]);
  });

  it.each([
    [
      encodePackets(["command=fetch", delim, "thin-pack", delim, flush]),
      "expected flush after fetch arguments",
    ],
    [encodePackets(["command=ls-refs", delim, delim]), "expected flush after ls-refs arguments"],
    [encodePackets(["command=ls-refs", delim, responseEnd]), "expected flush after ls-refs arguments"],
    [encodePackets(["command=ls-refs", responseEnd]), "unexpected response-end packet"],
    [encodePackets(["command=ls-refs", delim, "peel"]), "the remote end hung up unexpectedly"],
    [encodePackets(["command=ls-refs"]), "the remote end hung up unexpectedly"],
    [encodePackets(["command=nope"]), "invalid command 'nope'"],
    ["0014command=ls-refs", "protocol error: the input ended inside a packet"],
    ["00", "protocol error: the input ended inside a packet"],
    ["0003", "protocol error: bad line length 3"],
    ["ffff", "protocol error: bad line length 65535"],
    ["GET / HTTP/1.0\r\n\r\n", "protocol error: bad line length character"],
  ])("that breaks the framing is refused: %#", async (input, reason) => {
    const { packets, error } = await serve(new MemoryRepository(), { input: [input] });
    expect(packets).toEqual([`ERR ${reason}`]);
    expect(error).toMatchObject({ code: "server-core/protocol", reported: true });
  });

  it("of nothing is answered by nothing", async () => {
    for (const input of [["0000"], []]) {
      const { text, error } = await serve(new MemoryRepository(), { input });
      expect([text, error]).toEqual(["", undefined]);
    }
  });

  it("is held to the limits on its head and on its arguments", async () => {
    const limits = { maxCapabilityBytes: 100, maxFetchRequestBytes: 200 };
    const many = (line: string) => Array.from({ length: 20 }, () => line);
    const head = await serve(new MemoryRepository(), {
      input: [section(...many("agent=abc"))],
      options: { limits },
    });
    expect(head.packets[0]).toContain("a section of more than 100 bytes");
    for (const command of ["ls-refs", "fetch"]) {
      const lines = many(command === "fetch" ? "no-progress" : "ref-prefix a");
      const input = [encodePackets([`command=${command}`, delim, ...lines, flush])];
      const answer = await serve(new MemoryRepository(), { input, options: { limits } });
      expect(answer.packets).toEqual(["ERR the request exceeds maxFetchRequestBytes (200)"]);
      expect(answer.error?.code).toBe("server-core/limit-exceeded");
    }
  });

  it("follows another on a connection that stays, but not over HTTP", async () => {
    const repository = new MemoryRepository();
    repository.five();
    const twice = [
      section("command=ls-refs"),
      section("command=ls-refs"),
      "0000",
      section("command=ls-refs"),
    ];
    const duplex = await serve(repository, { mode: "duplex", input: twice });
    expect(duplex.packets.filter((packet) => packet === "flush")).toHaveLength(3);
    const rpc = await serve(repository, { mode: "rpc", input: twice });
    expect(rpc.packets.filter((packet) => packet === "flush")).toHaveLength(1);
  });
});
