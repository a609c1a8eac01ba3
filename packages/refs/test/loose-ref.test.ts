import { describe, expect, it } from "vitest";
import { bytesFromByteString } from "../src/byte-string.ts";
import { formatLooseRef, parseLooseRef } from "../src/loose-ref.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";
const LONG_ID = ID + ID.slice(0, 24);
const parse = (text: string, format: "sha1" | "sha256" = "sha1") =>
  parseLooseRef(bytesFromByteString(text), format);

describe("parseLooseRef", () => {
  it.each([`${ID}\n`, ID, `${ID} \t\r\n\n`, `${ID.toUpperCase()}\n`, `${ID}\tbranch 'x' of y\n`])(
    "takes the id in %j",
    (text) => {
      expect(parse(text)).toEqual({ kind: "id", id: ID });
    },
  );

  it.each<[string, string]>([
    ["ref: refs/heads/x\n", "refs/heads/x"],
    ["ref:refs/heads/x", "refs/heads/x"],
    ["ref: \t refs/heads/x \r\n\n", "refs/heads/x"],
    ["ref: HEAD\n", "HEAD"],
    ["ref: refs/heads/\xff\n", "refs/heads/\xff"],
  ])("takes the name in %j", (text, name) => {
    expect(parse(text)).toEqual({ kind: "symbolic", name });
  });

  it.each([
    "",
    "\n",
    ID.slice(1),
    `${ID}0\n`,
    `${ID}x\n`,
    ` ${ID}\n`,
    `g${ID.slice(1)}\n`,
    "ref:\n",
    "ref: \n",
    "ref: refs/heads/a b\n",
    "ref: ../x\n",
    "ref: config\n",
    "ref: refs/heads/x\nref: refs/heads/y\n",
    " ref: refs/heads/x\n",
    "Ref: refs/heads/x\n",
    "\0",
  ])("finds %j broken", (text) => {
    expect(parse(text)).toBeUndefined();
  });

  it("holds an id to the repository's format", () => {
    expect(parse(`${LONG_ID}\n`, "sha256")).toEqual({ kind: "id", id: LONG_ID });
    expect(parse(`${LONG_ID}\n`, "sha1")).toBeUndefined();
    expect(parse(`${ID}\n`, "sha256")).toBeUndefined();
  });

  it("reads what formatLooseRef writes", () => {
    for (const text of [`${ID}\n`, "ref: refs/heads/\xff\n"]) {
      const target = parse(text);
      if (target === undefined) throw new Error("broken");
      expect(formatLooseRef(target)).toEqual(bytesFromByteString(text));
    }
  });
});
