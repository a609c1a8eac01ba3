import { afterEach, describe, expect, it, vi } from "vitest";
import { createMemoryRepository } from "../src/index.ts";

const author = { name: "A", email: "a@example.com", at: 1_700_000_000 };

/** Each look at the clock finds it two seconds later. */
function hurryTime(): void {
  let now = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => {
    now += 2000;
    return now;
  });
}

describe("work on objects in memory", () => {
  afterEach(() => vi.restoreAllMocks());

  const spent = (name: string) =>
    expect.objectContaining({
      code: "objects/limit-exceeded",
      message: expect.stringContaining(`${name} (1000 ms)`),
    });

  it("keeps within maxWalkMs and maxCheckMs", async () => {
    const repository = createMemoryRepository({ author, limits: { maxWalkMs: 1000, maxCheckMs: 1000 } });
    const one = await repository.commit({ branch: "main", message: "one", files: { a: "1" } });
    const two = await repository.commit({ branch: "main", message: "two", files: { a: "2" } });
    expect(await repository.objects.unreachable([one], [two])).toEqual([]);
    const quarantine = await repository.objects.receive();
    expect(await quarantine.unconnected([two], [])).toEqual([]);
    hurryTime();
    await expect(repository.objects.unreachable([one], [two])).rejects.toThrow(spent("maxWalkMs"));
    await expect(quarantine.unconnected([two], [])).rejects.toThrow(spent("maxCheckMs"));
    await quarantine.discard();
  });
});
