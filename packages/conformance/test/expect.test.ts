import { describe, expect, it } from "vitest";
import { holds, rejects, same, within } from "../src/expect.ts";

const broken = expect.objectContaining({ code: "conformance/broken-promise" });

describe("what cases say", () => {
  it("tells what reads the same from what does not", () => {
    const equal: [unknown, unknown][] = [
      [undefined, undefined],
      [
        [1, { a: undefined }],
        [1, { a: undefined }],
      ],
      [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
      [new Set(["b", "a"]), new Set(["a", "b"])],
      [new Map([["a", 1]]), new Map([["a", 1]])],
    ];
    for (const [a, b] of equal) expect(() => same(a, b, "x")).not.toThrow();
    const different: [unknown, unknown][] = [
      [undefined, null],
      [1, "1"],
      [Infinity, null],
      [
        [1, 2],
        [2, 1],
      ],
      [{ a: undefined }, {}],
      [new Uint8Array([1, 2]), new Uint8Array([2, 1])],
      [new Set(["a"]), new Set(["b"])],
      [new Map([["a", 1]]), new Map([["a", 2]])],
    ];
    for (const [a, b] of different) expect(() => same(a, b, "x")).toThrow(broken);
    expect(() => holds(false, "x")).toThrow(broken);
  });

  it("wants what fails to fail, with the right code", async () => {
    const fail = (code: string) => Promise.reject(Object.assign(new Error("no"), { code }));
    expect(await rejects(fail("a/b"), "x", "a/a", "a/b")).toMatchObject({ code: "a/b" });
    expect(await rejects(() => fail("a/b"), "x")).toMatchObject({ code: "a/b" });
    await expect(rejects(fail("a/c"), "x", "a/b")).rejects.toEqual(broken);
    await expect(rejects(Promise.resolve(1), "x", "a/b")).rejects.toEqual(broken);
  });

  it("does not wait for ever", async () => {
    expect(await within(1000, Promise.resolve(1), "x")).toBe(1);
    await expect(within(5, new Promise(() => {}), "x")).rejects.toEqual(broken);
  });
});
