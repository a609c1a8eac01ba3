import { describe, expect, it } from "vitest";
import { bytesFromByteString } from "../src/byte-string.ts";
import { emptyPackedRefs, parsePackedRefs, parsePackedRefsInSteps } from "../src/packed-refs.ts";
import { formatPackedRefs, packedRefsWithout } from "../src/packed-refs-writer.ts";
import type { Ref } from "../src/ref-store.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const HEADER = "# pack-refs with: peeled fully-peeled sorted \n";
const parse = (text: string) => parsePackedRefs(bytesFromByteString(text), "sha1");
const refsOf = (text: string): Ref[] => {
  const packed = parse(text);
  return Array.from({ length: packed.length }, (_, index) => packed.refAt(index));
};
const joined = (chunks: Iterable<Uint8Array>) => Buffer.concat([...chunks]).toString("latin1");

describe("parsePackedRefs", () => {
  it("reads names, ids and what they peel to", () => {
    const text = `${HEADER}${A} refs/heads/\xff\n${A} refs/tags/t\n^${B}\n${B.toUpperCase()} refs/x\n`;
    expect(refsOf(text)).toEqual([
      { name: "refs/heads/\xff", target: { kind: "id", id: A }, peeled: null },
      { name: "refs/tags/t", target: { kind: "id", id: A }, peeled: B },
      { name: "refs/x", target: { kind: "id", id: B }, peeled: null },
    ]);
  });

  it("draws from a missing ^ line only what the header promises", () => {
    const lines = `${A} refs/heads/x\n${A} refs/tags/t\n`;
    const peeled = (header: string) => refsOf(header + lines).map((ref) => ref.peeled);
    expect(peeled(HEADER)).toEqual([null, null]);
    expect(peeled("# pack-refs with: peeled \n")).toEqual([undefined, null]);
    expect(peeled("# pack-refs with: sorted \n")).toEqual([undefined, undefined]);
    expect(peeled("# pack-refs with: peeled-by-hand \n")).toEqual([undefined, undefined]);
    expect(peeled("")).toEqual([undefined, undefined]);
  });

  it("sorts what is not sorted, whatever the header says", () => {
    for (const header of ["", HEADER]) {
      const text = `${header}${A} refs/b\n^${B}\n${A} refs/c\n${B} refs/a\n${B} refs/b\n`;
      expect(refsOf(text).map((ref) => [ref.name, ref.target])).toEqual([
        ["refs/a", { kind: "id", id: B }],
        ["refs/b", { kind: "id", id: A }],
        ["refs/c", { kind: "id", id: A }],
      ]);
      expect(parse(text).get("refs/b")?.peeled).toBe(B);
    }
  });

  it("finds single refs, first and last ones too", () => {
    const names = Array.from({ length: 50 }, (_, at) => `refs/n${String(at).padStart(2, "0")}`);
    const packed = parse(HEADER + names.map((name) => `${A} ${name}\n`).join(""));
    for (const name of names) expect(packed.get(name)?.name).toBe(name);
    for (const name of ["refs/n", "refs/n50", "refs/n00x", "", "refs/"]) expect(packed.has(name)).toBe(false);
  });

  it("takes an empty file, and one with a header alone", () => {
    expect(parse("").length).toBe(0);
    expect(parse(HEADER).length).toBe(0);
    expect(emptyPackedRefs("sha256").get("refs/x")).toBeUndefined();
  });

  it("sets names aside that are none", () => {
    const packed = parse(`${HEADER}${A} HEAD\n${A} refs/a b\n^${B}\n${A} refs/ok\n`);
    expect(packed.length).toBe(1);
    expect(packed.badNames()).toEqual(["HEAD", "refs/a b"]);
  });

  it.each([
    ["no line feed at the end", `${A} refs/x`],
    ["a header without end", "# pack-refs with:"],
    ["a short id", `${A.slice(1)} refs/x\n`],
    ["a long id", `${A}a refs/x\n`],
    ["an id with other digits", `${A.slice(1)}g refs/x\n`],
    ["no name", `${A} \n`],
    ["no blank", `${A}_refs/x\n`],
    ["a comment that is no header", `# comment\n${A} refs/x\n`],
    ["an empty comment", `#\n${A} refs/x\n`],
    ["a name that leads out of refs/", `${A} refs/../../x\n`],
    ["a name that starts with a blank", `${A}  refs/x\n`],
    ["an empty line", `${A} refs/x\n\n`],
    ["a ^ line first", `^${A}\n`],
    ["two ^ lines", `${A} refs/x\n^${A}\n^${A}\n`],
    ["a short ^ line", `${A} refs/x\n^${A.slice(1)}\n`],
    ["a second header", `${A} refs/x\n${HEADER}`],
  ])("refuses %s", (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "refs/malformed" }));
  });

  it("takes any blank after an id, as git does", () => {
    expect(refsOf(`${A}\trefs/x\n`)).toMatchObject([{ name: "refs/x", target: { id: A } }]);
  });

  it("refuses every cut of a file but those between lines", () => {
    const text = `${HEADER}${A} refs/a\n^${B}\n${A} refs/b\n`;
    for (let end = 1; end < text.length; end++) {
      const cut = text.slice(0, end);
      if (cut.endsWith("\n")) expect(() => parse(cut)).not.toThrow();
      else expect(() => parse(cut)).toThrow(expect.objectContaining({ code: "refs/malformed" }));
    }
  });

  it("reads ids of sha256", () => {
    const id = "c".repeat(64);
    const packed = parsePackedRefs(bytesFromByteString(`${id} refs/x\n^${id}\n`), "sha256");
    expect(packed.get("refs/x")).toEqual({ name: "refs/x", target: { kind: "id", id }, peeled: id });
    expect(() => parsePackedRefs(bytesFromByteString(`${A} refs/x\n`), "sha256")).toThrow();
  });

  it("pauses in a long file, and gives the same", () => {
    const lines = Array.from(
      { length: 70_000 },
      (_, at) => `${A} refs/n${String(at).padStart(6, "0")}\n`,
    ).join("");
    const steps = parsePackedRefsInSteps(bytesFromByteString(HEADER + lines), "sha1");
    let pauses = 0;
    let step = steps.next();
    for (; !step.done; step = steps.next()) pauses++;
    expect(pauses).toBe(2);
    expect(step.value.length).toBe(70_000);
    expect(step.value.nameAt(69_999)).toBe("refs/n069999");
  });
});

describe("packedRefsWithout", () => {
  it("copies the rest to the letter, bad names in their place", () => {
    const lines = [
      `${A} HEAD\n`,
      `${A} refs/a\n^${B}\n`,
      `${A} refs/a b\n`,
      `${B} refs/b\n`,
      `${A} refs/z z\n^${B}\n`,
    ];
    const packed = parse(HEADER + lines.join(""));
    expect(joined(packedRefsWithout(packed, new Set()))).toBe(HEADER + lines.join(""));
    expect(joined(packedRefsWithout(packed, new Set(["refs/a"])))).toBe(
      HEADER + [lines[0], ...lines.slice(2)].join(""),
    );
  });

  it("promises no more than the file did, but order", () => {
    const packed = parse(`# pack-refs with: peeled \n${A} refs/b\n${A} refs/a\n`);
    expect(joined(packedRefsWithout(packed, new Set()))).toBe(
      `# pack-refs with: peeled sorted \n${A} refs/a\n${A} refs/b\n`,
    );
  });
});

describe("formatPackedRefs", () => {
  it("writes what parsePackedRefs reads, in chunks", () => {
    const text =
      HEADER +
      Array.from({ length: 3000 }, (_, at) => `${A} refs/n${String(at).padStart(4, "0")}\n^${B}\n`).join("");
    const chunks = [...formatPackedRefs(refsOf(text).reverse())];
    expect(chunks.length).toBeGreaterThan(1);
    expect(joined(chunks)).toBe(text);
  });

  it("refuses what has no place there", () => {
    const symbolic: Ref = { name: "refs/x", target: { kind: "symbolic", name: "refs/y" }, peeled: null };
    expect(() => [...formatPackedRefs([symbolic])]).toThrow(TypeError);
    expect(() => [...formatPackedRefs(refsOf(`${A} refs/x\n`))]).toThrow(TypeError);
  });
});
