import { describe, expect, it } from "vitest";
import { QuickLook } from "../src/disk/quick-look.ts";

function makeLook() {
  let now = 1000;
  const look = new QuickLook(() => now);
  const take = (costMs = 0) =>
    look.look(
      () => {
        now += costMs;
        return "here";
      },
      async () => "elsewhere",
    );
  return { take, wait: (ms: number) => (now += ms) };
}

describe("QuickLook", () => {
  it("looks here only shortly after the last look", async () => {
    const { take, wait } = makeLook();
    expect(await take()).toBe("elsewhere");
    expect(await take()).toBe("here");
    wait(9999);
    expect(await take()).toBe("here");
    wait(10_000);
    expect(await take()).toBe("elsewhere");
    expect(await take()).toBe("here");
  });

  it("leaves a slow disk to others for a hundred times as long as it took", async () => {
    const { take, wait } = makeLook();
    await take();
    expect(await take(11)).toBe("here");
    expect(await take()).toBe("elsewhere");
    wait(1099);
    expect(await take()).toBe("elsewhere");
    wait(1);
    expect(await take(50)).toBe("here");
    wait(4999);
    expect(await take()).toBe("elsewhere");
    wait(1);
    expect(await take()).toBe("here");
  });

  it("passes on what goes wrong, and looks elsewhere again after that", async () => {
    const look = new QuickLook(() => 0);
    await expect(
      look.look(
        () => 1,
        () => Promise.reject(new Error("away")),
      ),
    ).rejects.toThrow("away");
    expect(() =>
      look.look(
        () => {
          throw new Error("here");
        },
        async () => 2,
      ),
    ).toThrow("here");
  });
});
