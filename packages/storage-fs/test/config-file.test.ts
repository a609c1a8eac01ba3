import { describe, expect, it } from "vitest";
import { parseConfig } from "../src/config/config-file.ts";

const parse = (text: string) =>
  parseConfig(Buffer.from(text, "latin1")).map(({ key, value }) => [key, value]);

describe("parseConfig", () => {
  it.each<[string, string, [string, string | undefined][]]>([
    ["nothing", "", []],
    ["plain settings", "[core]\n\tbare = true\n", [["core.bare", "true"]]],
    ["no line feed at the end", "[a]\nb=c", [["a.b", "c"]]],
    ["a setting on the section's line", "[a] b = c\n", [["a.b", "c"]]],
    ["cases", '[CoRe "SuB"]\n\tNaMe = VaLue\n', [["core.SuB.name", "VaLue"]]],
    ["an old subsection", "[a.B]\nc=d\n", [["a.b.c", "d"]]],
    ["escapes in a subsection", '[a "x\\"y\\\\z\\q"]\nb=c\n', [['a.x"y\\zq.b', "c"]]],
    ["a setting before the first section", "A = b\n", [["a", "b"]]],
    ["a name alone", "[a]\nb\n", [["a.b", undefined]]],
    ["an empty value", "[a]\nb =\n", [["a.b", ""]]],
    [
      "comments",
      "# x\n[a] ; y\nb = c # z\nd = e;f\n",
      [
        ["a.b", "c"],
        ["a.d", "e"],
      ],
    ],
    ["quotes", '[a]\nb = " x ; y "z\n', [["a.b", " x ; y z"]]],
    ["inner blanks kept, outer dropped", "[a]\nb =  x  y  \n", [["a.b", "x  y"]]],
    ["escapes", '[a]\nb = \\t\\n\\b\\\\\\"x\n', [["a.b", '\t\n\b\\"x']]],
    ["continued lines", "[a]\nb = x \\\n  y\n", [["a.b", "x   y"]]],
    [
      "several values",
      "[a]\nb=1\n[a]\nb=2\n",
      [
        ["a.b", "1"],
        ["a.b", "2"],
      ],
    ],
    ["CRLF", "[a]\r\nb = c\r\n", [["a.b", "c"]]],
    ["a byte order mark", "\xef\xbb\xbf[a]\nb=c\n", [["a.b", "c"]]],
    ["bytes above 127", "[a]\nb = \xff\xfe\n", [["a.b", "\xff\xfe"]]],
    ["a closing bracket in a subsection", '[a "]"]\nb=c\n', [["a.].b", "c"]]],
  ])("reads %s", (_, text, entries) => {
    expect(parse(text)).toEqual(entries);
  });

  it.each<[string, string, number]>([
    ["an unclosed section", "[a\nb = c\n", 1],
    ["an empty section", "[]\n", 1],
    ["an open quote", '[a]\nb = "x\nc = d\n', 2],
    ["an unknown escape", "[a]\nb = \\x\n", 2],
    ["a line feed in a subsection", '[a "b\nc"]\n', 1],
    ["a name with an underscore", "[a]\n\nb_c = d\n", 3],
    ["a name that starts with a digit", "[a]\n1b = d\n", 2],
    ["a NUL", "[a]\nb = c\0d\n", 2],
  ])("refuses %s and says where", (_, text, line) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: "storage-fs/bad-config", message: `bad config line ${line}` }),
    );
  });
});
