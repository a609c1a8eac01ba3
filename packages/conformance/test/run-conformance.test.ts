import { describe, expect, it } from "vitest";
import { type ConformanceCase, runConformance, type TestRunner } from "../src/index.ts";

interface Collected extends TestRunner {
  readonly tests: { readonly name: string; readonly body: () => Promise<void> }[];
}

function collector(): Collected {
  const tests: { readonly name: string; readonly body: () => Promise<void> }[] = [];
  const prefix: string[] = [];
  return {
    tests,
    describe(name, body) {
      prefix.push(name);
      body();
      prefix.pop();
    },
    it: (name, body) => void tests.push({ name: [...prefix, name].join(" / "), body }),
  };
}

const kept: ConformanceCase<number> = {
  name: "kept",
  async run(make) {
    if ((await make()) !== 1) throw new Error("not 1");
  },
};
const broken: ConformanceCase<number> = {
  name: "broken",
  async run(make) {
    if ((await make()) !== 2) throw new Error("not 2");
  },
};
const make = async () => 1;

describe("runConformance", () => {
  it("makes a test of each case", async () => {
    const runner = collector();
    runConformance(runner, "store", [kept, broken], make);
    expect(runner.tests.map(({ name }) => name)).toEqual(["store / kept", "store / broken"]);
    await expect(runner.tests[0]?.body()).resolves.toBeUndefined();
    await expect(runner.tests[1]?.body()).rejects.toThrow("not 2");
  });

  it("lets a known gap fail, and says why it is one", async () => {
    const runner = collector();
    runConformance(runner, "store", [kept, broken], make, { broken: "not done" });
    expect(runner.tests[1]?.name).toBe("store / broken (known gap: not done)");
    await expect(runner.tests[1]?.body()).resolves.toBeUndefined();
  });

  it("fails for a gap that is none any more, and for one that nobody knows", async () => {
    const runner = collector();
    runConformance(runner, "store", [kept], make, { kept: "not done" });
    await expect(runner.tests[0]?.body()).rejects.toMatchObject({ code: "conformance/gap-closed" });
    const unknown = () => runConformance(collector(), "store", [kept], make, { other: "" });
    expect(unknown).toThrow(expect.objectContaining({ code: "conformance/unknown-gap" }));
  });
});
