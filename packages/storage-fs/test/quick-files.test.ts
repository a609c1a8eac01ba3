import { describe, expect, it } from "vitest";
import { QuickSteps } from "../src/disk/quick-files.ts";

describe("quick steps", () => {
  function made(takesMs: readonly number[]) {
    let now = 0;
    const ways: string[] = [];
    const left = [...takesMs];
    const steps = new QuickSteps(() => now);
    const step = steps.step(
      (text: string) => {
        now += left.shift() ?? 0;
        ways.push("here");
        if (text === "bad") throw new Error(text);
        return text;
      },
      async (text: string) => {
        ways.push("elsewhere");
        return text;
      },
    );
    return {
      step,
      ways,
      wait: (ms: number) => {
        now += ms;
      },
    };
  }

  it("are taken here as long as they are quick", async () => {
    const { step, ways } = made([1, 10]);
    expect([await step("a"), await step("b"), await step("c")]).toEqual(["a", "b", "c"]);
    expect(ways).toEqual(["here", "here", "here"]);
  });

  it("are left to others for a hundred times as long as a slow one took", async () => {
    const { step, ways, wait } = made([20]);
    await step("a");
    wait(1999);
    expect(await step("b")).toBe("b");
    wait(1);
    await step("c");
    expect(ways).toEqual(["here", "elsewhere", "here"]);
  });

  it("fail as those of others do", async () => {
    const { step } = made([0]);
    const failing = step("bad");
    await expect(failing).rejects.toThrow("bad");
  });
});
