import { encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { section, serve } from "./story.ts";

const A = "a".repeat(40);
const ZERO = "0".repeat(40);

async function ask(...input: (Uint8Array | string)[]) {
  const answer = await serve(new MemoryRepository(), { service: "git-receive-pack", version: 0, input });
  return { packets: answer.packets, error: answer.error };
}

describe("the commands of a push", () => {
  it.each([
    `${ZERO} ${A}`,
    `${ZERO} ${A} `,
    `${ZERO}  ${A} refs/heads/a`,
    `${ZERO} xyz refs/heads/a`,
    `${ZERO} ${"a".repeat(64)} refs/heads/a`,
    "",
  ])("%j is none", async (line) => {
    const { packets, error } = await ask(section(line));
    expect(packets).toHaveLength(1);
    expect(packets[0]).toMatch(/^ERR protocol error: (?:expected old\/new\/ref|expected shallow sha), got '/);
    expect(error).toMatchObject({ code: "server-core/protocol", reported: true });
  });

  it("are not what says where a shallow history ends", async () => {
    const { packets } = await ask(section("shallow x"));
    expect(packets).toEqual(["ERR protocol error: expected shallow sha, got 'x'"]);
  });

  it("end in a flush packet", async () => {
    const command = `${ZERO} ${A} refs/heads/a`;
    expect((await ask(encodePackets([command]))).packets).toEqual([
      "ERR the remote end hung up unexpectedly",
    ]);
    expect((await ask(encodePackets([command]), "0001")).packets).toEqual(["ERR unexpected delim packet"]);
    expect((await ask("0002")).packets).toEqual(["ERR unexpected response-end packet"]);
  });

  it("are made for the repository's own hash", async () => {
    const { packets } = await ask(section(`${ZERO} ${A} refs/heads/a\0object-format=sha256`));
    expect(packets).toEqual(["ERR unsupported object format 'sha256'"]);
    const bare = section(`${"0".repeat(64)} ${"a".repeat(64)} refs/heads/a\0report-status`);
    const answer = await serve(new MemoryRepository("sha256"), {
      service: "git-receive-pack",
      version: 0,
      input: [bare],
    });
    expect(answer.packets).toEqual(["ERR unsupported object format 'sha1'"]);
  });

  it("have their limits", async () => {
    const lines = Array.from({ length: 10 }, (_, i) => `${ZERO} ${A} refs/heads/${i}`);
    const shallow = Array.from({ length: 10 }, () => `shallow ${A}`);
    for (const [input, limits, name] of [
      [lines, { maxCommandBytes: 300 }, "maxCommandBytes (300)"],
      [lines, { maxCommands: 9 }, "maxCommands (9)"],
      [shallow, { maxShallows: 9 }, "maxShallows (9)"],
    ] as const) {
      const options = { limits };
      const call = { service: "git-receive-pack", version: 0, input: [section(...input)], options } as const;
      expect((await serve(new MemoryRepository(), call)).packets).toEqual([
        `ERR the request exceeds ${name}`,
      ]);
    }
  });

  it("may each name capabilities, which are read once", async () => {
    const command = (i: number) => `${ZERO} ${A} refs/heads/${i}\0 a${i} b${i} c${i} d${i} e${i}`;
    const lines = Array.from({ length: 20_000 }, (_, i) => command(i));
    const before = performance.now();
    const { packets } = await ask(section(...lines, `${ZERO} ${A} refs/heads/x\0object-format=sha256`));
    expect(packets).toEqual(["ERR unsupported object format 'sha256'"]);
    // Read anew with each command they take minutes.
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it("in a certificate end at its limit, though its packets be empty", async () => {
    let taken = 0;
    async function* endless() {
      yield encodePackets(["push-cert\0report-status"]);
      for (; taken < 1000; taken++) yield encodePackets(Array.from({ length: 1000 }, () => ""));
    }
    const options = { limits: { maxPushCertBytes: 10_000 } };
    const call = { service: "git-receive-pack", version: 0, input: endless(), options } as const;
    const { packets } = await serve(new MemoryRepository(), call);
    expect(packets).toEqual(["ERR the request exceeds maxPushCertBytes (10000)"]);
    expect(taken).toBeLessThan(10);
  });

  it("may fill a packet, and the report still fits one", async () => {
    const ref = `refs/heads/${"x".repeat(65516 - 82 - 11 - 30)}`;
    const input = [encodePackets([`${A} ${ZERO} ${ref}.lock\0report-status`, flush])];
    const { packets } = await ask(...input);
    expect(packets[1]).toBe(`ng ${ref}.lock funny refname\n`);
  });
});
