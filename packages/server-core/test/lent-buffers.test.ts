import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { createGitService, LentBuffers } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { callOf } from "./story.ts";

describe("LentBuffers", () => {
  it("give each buffer back once, whatever part of it comes back", () => {
    const lent = new LentBuffers();
    const back: string[] = [];
    const [first, second] = [new Uint8Array(10), new Uint8Array(10)];
    lent.lend(first.subarray(5), () => back.push("first"));
    lent.lend(second, () => back.push("second"));
    lent.giveBack(new Uint8Array(10));
    expect(back).toEqual([]);
    lent.giveBack(new Uint8Array(first.buffer, 1, 9));
    lent.giveBack(first);
    expect(back).toEqual(["first"]);
    lent.lend(first, () => back.push("again"));
    lent.giveBack(first);
    lent.giveBack(second);
    expect(back).toEqual(["first", "again", "second"]);
  });
});

describe("a pack", () => {
  const serve = async (lent: LentBuffers | undefined) => {
    const repository = new MemoryRepository();
    const tip = repository.five().at(-1);
    const buffer = new Uint8Array(100);
    let isBack = false;
    repository.objects.pack = async function* (_, options) {
      const bytes = buffer.subarray(5).fill(65);
      options?.lend?.(bytes, () => {
        isBack = true;
      });
      yield { kind: "bytes", bytes, headroom: 5 };
    };
    const input = encodePackets(["command=fetch", delim, `want ${tip}`, "done", flush]);
    const service = createGitService({ repositories: async () => repository });
    const chunks: Uint8Array[] = [];
    for await (const chunk of service({ ...callOf({ input: [input] }), lend: lent?.lend }))
      chunks.push(chunk);
    return { chunks, buffer, isBack: () => isBack };
  };

  it("is framed in the memory that was lent for it, which its reader gives back", async () => {
    const lent = new LentBuffers();
    const { chunks, buffer, isBack } = await serve(lent);
    const framed = chunks.filter((chunk) => chunk.buffer === buffer.buffer);
    expect(framed).toHaveLength(1);
    expect(isBack()).toBe(false);
    for (const chunk of chunks) lent.giveBack(chunk);
    expect(isBack()).toBe(true);
  });

  it("is its reader's own where nothing was said of lending", async () => {
    expect((await serve(undefined)).isBack()).toBe(false);
  });
});
