import { tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { isValidRefName } from "../src/ref-name.ts";

/** Reproducible noise. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

const PIECES = [
  ..."abcdefghijklmnopqrstuv",
  "w/",
  "-x/",
  "a",
  "b/",
  "/",
  ".",
  "..",
  ".lock",
  "@",
  "{",
  "@{",
  "-",
  " ",
  "~",
  "^",
  ":",
  "?",
  "*",
  "[",
  "\\",
  "\x7f",
  "\x01",
  "x",
  "é",
  "lock",
];

describe("isValidRefName beside git check-ref-format", () => {
  it("agrees on 400 names made of what matters", async () => {
    const random = numbers(7);
    const names = new Set<string>();
    while (names.size < 400) {
      let name = "refs/";
      for (let length = 1 + random(5); length > 0; length--) name += PIECES[random(PIECES.length)];
      names.add(name);
    }
    let valid = 0;
    const check = async (name: string) => {
      const { status } = await tryGit(["check-ref-format", name]);
      const ours = isValidRefName(Buffer.from(name, "utf8").toString("latin1"));
      expect([name, ours]).toEqual([name, status === 0]);
      if (ours) valid++;
    };
    const queue = [...names];
    const lane = async () => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) await check(name);
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
    expect(valid).toBeGreaterThan(50);
    expect(valid).toBeLessThan(350);
  });

  it("agrees on names of one component", async () => {
    for (const name of ["main", "HEAD", "@", "a.", ".a", "a.lock", "a", "a..b"]) {
      const { status } = await tryGit(["check-ref-format", "--allow-onelevel", name]);
      expect([name, isValidRefName(name, { oneLevel: true })]).toEqual([name, status === 0]);
    }
  });
});
