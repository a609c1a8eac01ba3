import { expect, test } from "vitest";
import { HookOutput } from "../src/hook-output.ts";

function shown(
  pieces: readonly (string | Uint8Array)[],
  options: { verbatim?: boolean; maxBytes?: number } = {},
) {
  const texts: Buffer[] = [];
  const { verbatim = false, maxBytes = 1000 } = options;
  const output = new HookOutput({
    name: "update",
    show: (text) => void texts.push(Buffer.from(text)),
    verbatim,
    maxBytes,
  });
  for (const piece of pieces) output.write(typeof piece === "string" ? Buffer.from(piece) : piece);
  output.end();
  return Buffer.concat(texts).toString("utf8");
}

test("characters that arrive in pieces come out whole", () => {
  const bytes = Buffer.from("grüße, 世界 👋\n");
  expect(shown([...bytes].map((byte) => Uint8Array.of(byte)))).toBe("grüße, 世界 👋\n");
});

test("bytes that are no UTF-8 are marked, to the last", () => {
  expect(shown([Uint8Array.of(0x61, 0xff, 0x62, 0xe4)])).toBe("a\ufffdb\ufffd");
});

test("verbatim is to the byte", () => {
  const bytes = Uint8Array.of(0x61, 0xff, 0x1b, 0x5b, 0x32, 0x4a, 0x00);
  const texts: number[] = [];
  const output = new HookOutput({
    name: "update",
    show: (text) => void texts.push(...Buffer.from(text)),
    verbatim: true,
    maxBytes: 6,
  });
  output.write(bytes);
  output.end();
  expect(texts.slice(0, 7)).toEqual([...bytes.subarray(0, 6), 0x0a]);
});

test("control characters are shown, line ends, tabs and colours pass, however they arrive", () => {
  const text = "a\tb\r\n\x1b[1;31mred\x1b[m \x1b[2J \x1b]0;title\x07 \x7f \x9b2J \0 end\x1b";
  const safe = "a\tb\r\n\x1b[1;31mred\x1b[m ^[[2J ^[]0;title^G ^? \ufffd2J ^@ end^[";
  expect(shown([text])).toBe(safe);
  expect(shown([...Buffer.from(text)].map((byte) => Uint8Array.of(byte)))).toBe(safe);
  expect(shown([text], { verbatim: true })).toBe(text);
});

test("a sequence that never ends is not waited for", () => {
  expect(shown([`\x1b[${"1;".repeat(100)}`, "m"])).toBe(`^[[${"1;".repeat(100)}m`);
});

test("the rest is dropped, with a line that says so, and a character is not cut", () => {
  const line = "the update hook printed more than 5 bytes; the rest is dropped\n";
  expect(shown(["abc\n", "d", "e", "f"], { maxBytes: 5 })).toBe(`abc\nd\n${line}`);
  expect(shown(["abcd\n", "ü"], { maxBytes: 5 })).toBe(`abcd\n${line}`);
  expect(shown(["abcdü"], { maxBytes: 5 })).toBe(`abcd\ufffd\n${line}`);
  expect(shown(["abcde"], { maxBytes: 5 })).toBe("abcde");
});
