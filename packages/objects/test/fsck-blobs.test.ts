import { describe, expect, it } from "vitest";
import {
  createFsck,
  type Fsck,
  type FsckFinding,
  hashObject,
  type ObjectFormat,
  type ObjectId,
  type ObjectType,
  objectIdToBytes,
  parseFsckSkipList,
} from "../src/index.ts";
import { latin1, someId, treeText } from "./fsck-samples.ts";

const told = (findings: readonly FsckFinding[]) =>
  findings.map(({ severity, id, message }) => `${severity} ${id}: ${message}`);

function give(fsck: Fsck, format: ObjectFormat, type: ObjectType, text: string): string[] {
  const bytes = latin1(text);
  return told(fsck.check(type, objectIdToBytes(hashObject(format, type, bytes)), bytes));
}

/** What is said of `text` as a `.gitmodules`, or under another name. */
function judge(text: string, name = ".gitmodules"): string[] {
  const fsck = createFsck({ format: "sha1" });
  expect(
    give(
      fsck,
      "sha1",
      "tree",
      treeText("sha1", [["100644", name, hashObject("sha1", "blob", latin1(text))]]),
    ),
  ).toEqual([]);
  const findings = give(fsck, "sha1", "blob", text);
  expect(fsck.pending()).toEqual([]);
  return findings;
}

const PARSE = "warn gitmodulesParse: could not parse gitmodules blob";
const name = (text: string) => `error gitmodulesName: disallowed submodule name: ${text}`;
const url = (text: string) => `error gitmodulesUrl: disallowed submodule url: ${text}`;

describe(".gitmodules", () => {
  it.each<[string, string, string[]]>([
    ["nothing", "", []],
    [
      "a submodule",
      '[submodule "a/b"]\n\tpath = a/b\n\turl = https://example.com/x.git\n\tupdate = merge\n',
      [],
    ],
    ["other sections", '[core]\n\turl = -x\n[x "submodule..."]\nurl = -x\n[submodule]\nurl = -x\n', []],
    ["no name", '[submodule ""]\nx\n', [name("")]],
    ["a name that leads up", '[submodule "a/.."]\nx\n', [name("a/..")]],
    ["a name that leads up on Windows", '[submodule "..\\\\a"]\nx\n', [name("..\\a")]],
    ["a name with dots", '[submodule "..a/b../c...d"]\nx\n', []],
    ["a name without settings", '[submodule ".."]\n', []],
    [
      "one message for each setting",
      '[submodule ".."]\npath = -a\nx = y\n',
      [name(".."), "error gitmodulesPath: disallowed submodule path: -a", name("..")],
    ],
    [
      "a path that is an option",
      '[submodule "a"]\npath = "-a b"\n',
      ["error gitmodulesPath: disallowed submodule path: -a b"],
    ],
    ["a URL that is an option", '[submodule "a"]\nURL = -u./x\n', [url("-u./x")]],
    [
      "a command",
      '[submodule "a"]\nupdate = !x; y\n',
      ["error gitmodulesUpdate: disallowed submodule update setting: !x"],
    ],
    ["the old form of a section", "[submodule.A]\nurl = -x\n", [url("-x")]],
    ["what stands before a bad line", '[submodule ".."]\nx\n=\n[submodule "../a"]\ny\n', [name(".."), PARSE]],
    ["an unclosed section", '[submodule "a', [PARSE]],
    ["a byte order mark", '\xef\xbb\xbf[submodule ".."]\nx\n', [name("..")]],
    ["a byte that is no end", '# \xff\n[submodule ".."]\nx\n', [name("..")]],
    ["a NUL that ends the name", '[submodule "..\\x.url\0y"]\nz = -a\n', [url("-a")]],
    ["a NUL that hides the name", '[submodule "..\0/a"]\nurl = -x\n', []],
    [
      "a NUL that ends a value",
      '[submodule "a"]\nupdate = !x\0y\n',
      ["error gitmodulesUpdate: disallowed submodule update setting: !x"],
    ],
  ])("%s", (_, text, findings) => {
    expect(judge(text)).toEqual(findings);
  });

  it.each([
    "x",
    "/x",
    "../x",
    "./x",
    "../../x",
    "ssh://h/%0a",
    "git@h:x",
    "git://h/x",
    "file:///x",
    "https://h/x",
    "https://h",
    "http::https://h/x",
    "ftp::file:///x",
    "https://u:p@h:8080/x?y#z",
    "https://[::1]:443/x",
    "https://h/a/../b",
    "https://h/a%0a/../b",
    "https://h/%250a",
    "https://h:/x",
    "https::x://y/",
    "./x:y",
    "..x",
  ])("takes the URL %s", (text) => {
    expect(judge(`[submodule "a"]\nurl = "${text}"\n`)).toEqual([]);
  });

  it.each([
    "-x",
    "../:x",
    "../../:x",
    "..\\..\\/x",
    "./../:x",
    "..//x",
    "./x%0ay",
    "../%0A",
    "git://h/%0a",
    "https://",
    "https:///x",
    "http:///",
    "https://?x",
    "https::x",
    "http::/x",
    "ftp::://x",
    "https://h%0a/x",
    "https://u%0a@h/x",
    "https://h/%0a",
    "https://h/?x%0a",
    "https://h/#%0A",
    "https://h/..",
    "https://h/a/../..",
    "https://h:0/",
    "https://h:65536/",
    "https://h:x/",
    "https://h/%zz",
    "https://h x/",
    "ftp::file://:1/",
    "https::-x",
  ])("refuses the URL %s", (text) => {
    expect(judge(`[submodule "a"]\nurl = "${text.replaceAll("\\", "\\\\")}"\n`)).toEqual([url(text)]);
  });

  it("counts a line feed that the file escapes", () => {
    expect(judge('[submodule "a"]\nurl = "https://h/x\\n"\n')).toEqual([url("https://h/x\n")]);
    expect(judge('[submodule "a"]\nurl = "./x\\ny"\n')).toEqual([url("./x\ny")]);
  });

  it("is read within bounds however much is wrong with it", () => {
    const many = `[submodule "../${"x".repeat(100_000)}"]\n${"a\n".repeat(200_000)}`;
    const findings = judge(many);
    expect(findings).toHaveLength(100);
    expect(findings.every((finding) => finding.length < 5000)).toBe(true);
  });
});

describe(".gitattributes", () => {
  const LONG = "error gitattributesLineLength: .gitattributes has too long lines to parse";
  it.each<[string, string, string[]]>([
    ["nothing", "", []],
    ["lines", "*.c diff=cpp\n* text\n", []],
    ["the longest line", `a\n${"x".repeat(2047)}\nb`, []],
    ["a longer line", `a\n${"x".repeat(2048)}\nb`, [LONG]],
    ["a longer line at the end", "x".repeat(2048), [LONG]],
    ["several longer lines", `${"x".repeat(2048)}\n`.repeat(3), [LONG]],
    ["a longer line behind a NUL", `a\0\n${"x".repeat(2048)}\n`, []],
    ["a longer line up to a NUL", `${"x".repeat(2048)}\0`, [LONG]],
  ])("%s", (_, text, findings) => {
    expect(judge(text, ".gitattributes")).toEqual(findings);
    expect(judge(text, "GITATT~1")).toEqual(findings);
  });
});

describe.each(["sha1", "sha256"] as const)("blobs that matter, %s", (format) => {
  const text = '[submodule ".."]\nx\n';
  const id = hashObject(format, "blob", latin1(text));
  const at = (path: string, mode = "100644") => treeText(format, [[mode, path, id]]);

  it("are checked when they come after their tree, once", () => {
    const fsck = createFsck({ format });
    expect(give(fsck, format, "blob", text)).toEqual([]);
    give(fsck, format, "tree", at("a"));
    expect(fsck.pending()).toEqual([]);
    give(fsck, format, "tree", at(".gitmodules"));
    expect(fsck.pending()).toEqual([id]);
    expect(give(fsck, format, "blob", text)).toEqual([name("..")]);
    expect(give(fsck, format, "blob", text)).toEqual([]);
    expect(fsck.pending()).toEqual([]);
  });

  it("are asked for when they came before their tree, or not at all", () => {
    const fsck = createFsck({ format });
    give(fsck, format, "tree", at("x\\gitmod~1"));
    const [finding, ...more] = fsck.checkPending(id, { type: "blob", data: latin1(text) });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      id: "gitmodulesName",
      objectId: id,
      objectType: "blob",
      refusal: "fsck error in pack objects",
    });
    expect(fsck.checkPending(id, { type: "blob", data: latin1(text) })).toEqual([]);
    expect(fsck.pending()).toEqual([]);
  });

  it.each([
    [".gitmodules", undefined, ["error gitmodulesMissing: unable to read .gitmodules blob"]],
    [".gitattributes", undefined, ["error gitattributesMissing: unable to read .gitattributes blob"]],
    [
      ".gitmodules",
      { type: "tree", data: new Uint8Array(0) },
      ["error gitmodulesBlob: non-blob found at .gitmodules"],
    ],
    [
      ".gitattributes",
      { type: "commit", data: undefined },
      ["error gitattributesBlob: non-blob found at .gitattributes"],
    ],
    [
      ".gitmodules",
      { type: "blob", data: undefined },
      ["error gitmodulesLarge: .gitmodules too large to parse"],
    ],
    [
      ".gitattributes",
      { type: "blob", data: undefined },
      ["error gitattributesLarge: .gitattributes too large to parse"],
    ],
  ] as const)("may be missing, something else, or too large: %s", (path, subject, findings) => {
    const fsck = createFsck({ format });
    give(fsck, format, "tree", at(path));
    expect(told(fsck.checkPending(id, subject))).toEqual(findings);
    expect(fsck.pending()).toEqual([]);
  });

  it("may be both", () => {
    const fsck = createFsck({ format });
    give(fsck, format, "tree", at(".gitattributes"));
    expect(give(fsck, format, "blob", text)).toEqual([]);
    give(fsck, format, "tree", at(".gitmodules"));
    expect(fsck.pending()).toEqual([id]);
    expect(told(fsck.checkPending(id, undefined))).toEqual([
      "error gitmodulesMissing: unable to read .gitmodules blob",
    ]);
  });

  it("are not asked for when they are to be skipped, or nobody found them", () => {
    const fsck = createFsck({ format, skip: parseFsckSkipList(latin1(id), format) });
    give(fsck, format, "tree", at(".gitmodules"));
    expect(fsck.pending()).toEqual([]);
    expect(give(fsck, format, "blob", text)).toEqual([]);
    expect(fsck.checkPending(someId(format) as ObjectId, undefined)).toEqual([]);
  });

  it("are found in trees that are skipped themselves", () => {
    const tree = at(".gitmodules");
    const fsck = createFsck({
      format,
      skip: parseFsckSkipList(latin1(hashObject(format, "tree", latin1(tree))), format),
    });
    give(fsck, format, "tree", tree);
    expect(fsck.pending()).toEqual([id]);
  });

  it("have bounds: how many, and how long", () => {
    const fsck = createFsck({
      format,
      limits: { maxSpecialBlobs: 100, maxGitmodulesBytes: text.length - 1 },
    });
    const entries = Array.from(
      { length: 100 },
      (_, i) =>
        [
          "100644",
          `.gitmodules${" ".repeat(i)}`,
          i
            .toString(16)
            .padStart(2, "0")
            .repeat(someId(format).length / 2),
        ] as const,
    );
    give(fsck, format, "tree", treeText(format, entries));
    give(fsck, format, "tree", treeText(format, entries));
    expect(new Set(fsck.pending())).toEqual(new Set(entries.map(([, , each]) => each)));
    expect(() => give(fsck, format, "tree", at(".gitmodules"))).toThrow(
      expect.objectContaining({ code: "objects/limit-exceeded" }),
    );
    const other = createFsck({ format, limits: { maxGitmodulesBytes: text.length - 1 } });
    give(other, format, "tree", at(".gitmodules"));
    expect(give(other, format, "blob", text)).toEqual([
      "error gitmodulesLarge: .gitmodules too large to parse",
    ]);
  });

  it("can be a great many", () => {
    const fsck = createFsck({ format });
    const ids = Array.from({ length: 20_000 }, (_, i) =>
      i.toString(16).padStart(8, "0").padEnd(someId(format).length, "a"),
    );
    give(
      fsck,
      format,
      "tree",
      treeText(
        format,
        ids.map((each, i) => ["100644", i % 2 === 0 ? ".gitmodules" : ".gitattributes", each]),
      ),
    );
    expect(fsck.pending()).toEqual(ids);
  });
});
