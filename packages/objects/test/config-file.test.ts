import { describe, expect, it } from "vitest";
import { readConfigFile } from "../src/index.ts";
import { latin1 } from "./fsck-samples.ts";

type Setting = [section: string | undefined, name: string, value: string | undefined];

function read(text: string): { settings: Setting[]; badLine: number | undefined } {
  const settings: Setting[] = [];
  const badLine = readConfigFile(latin1(text), (...setting) => {
    settings.push(setting);
    return true;
  });
  return { settings, badLine };
}

describe("readConfigFile", () => {
  it.each<[string, string, Setting[]]>([
    ["nothing", "", []],
    [
      "sections, subsections and neither",
      'A=1\n[B]c\n[D "E\\"F"]\ng = h\n[I.J]k=',
      [
        [undefined, "a", "1"],
        ["b", "c", undefined],
        ['d.E"F', "g", "h"],
        ["i.j", "k", ""],
      ],
    ],
    ["a subsection without a section", '[ "x"]\na\n', [[".x", "a", undefined]]],
    ["texts with NUL", '[a "b\0c"]\nd = e\0f\n', [["a.b\0c", "d", "e\0f"]]],
    [
      "values of every kind",
      '[a]\nb = " x"  y ; z\nc=\\t\\b\\n\\\\\\"\nd = x \\\n y  \ne = "#"\r\nf\t\t=\t\tg\t\n',
      [
        ["a", "b", " x  y"],
        ["a", "c", '\t\b\n\\"'],
        ["a", "d", "x  y"],
        ["a", "e", "#"],
        ["a", "f", "g"],
      ],
    ],
    ["a backslash at the end", "[a]\nb = c\\", [["a", "b", "c"]]],
    ["blanks that quotes keep", '[a]\nb = x  ""  \n', [["a", "b", "x  "]]],
    ["a lone carriage return", "[a]\nb = x\ry\r\r\n", [["a", "b", "x\ry"]]],
  ])("reads %s", (_, text, settings) => {
    expect(read(text)).toEqual({ settings, badLine: undefined });
    expect(read(`\xef\xbb\xbf${text}`)).toEqual({ settings, badLine: undefined });
  });

  it.each<[string, number, number]>([
    ["[a]\nb=1\nc d\ne=2\n", 3, 1],
    ["[a]\nb=1\n[\n", 3, 1],
    ['[a]\nb=1\n[c "d\n"]', 3, 1],
    ['[a]\nb=1\n[c "d"\n]', 3, 1],
    ['[a]\nb="1\n', 2, 0],
    ["\0", 1, 0],
    ["\xef\xbba=1\n", 1, 0],
  ])("ends %j at line %i, after %i settings", (text, badLine, count) => {
    const result = read(text);
    expect([result.badLine, result.settings.length]).toEqual([badLine, count]);
  });

  it("ends where it is told to", () => {
    const names: string[] = [];
    const badLine = readConfigFile(latin1("[a]\nb\nc\nd\n"), (_, name) => names.push(name) < 2);
    expect([badLine, names]).toEqual([3, ["b", "c"]]);
  });

  it("reads long texts", () => {
    const long = "x".repeat(100_000);
    expect(read(`[a "${long}"]\n${long} = ${long}\n`).settings).toEqual([[`a.${long}`, long, long]]);
  });
});
