import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createHasher, hashObject, objectPreamble } from "../src/hasher.ts";
import { createNodeHasher } from "../src/node.ts";

const data = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7) % 256);

describe.each([
  ["neutral", createHasher],
  ["node", createNodeHasher],
] as const)("the %s hasher", (_, create) => {
  it.each(["sha1", "sha256"] as const)("agrees with node:crypto, %s, however the bytes are cut", (format) => {
    const expected = createHash(format).update(data).digest("hex");
    for (const size of [1, 19, 63, 64, 65, 128, 999, 1000]) {
      const hasher = create(format);
      for (let at = 0; at < data.length; at += size) {
        const piece = data.slice(at, at + size);
        hasher.update(piece);
        piece.fill(0); // the caller may use it again
      }
      expect(Buffer.from(hasher.digest()).toString("hex")).toBe(expected);
    }
  });

  it("gives the id of the empty blob and the empty tree", () => {
    const none = new Uint8Array(0);
    expect(hashObject("sha1", "blob", none, create)).toBe("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    expect(hashObject("sha1", "tree", none, create)).toBe("4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    expect(hashObject("sha256", "blob", none, create)).toBe(
      "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    );
  });
});

describe("objectPreamble", () => {
  it("is type, size and NUL", () => {
    expect(Buffer.from(objectPreamble("commit", 1234)).toString()).toBe("commit 1234\0");
  });
});
