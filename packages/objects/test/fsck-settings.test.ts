import { describe, expect, it } from "vitest";
import {
  createFsck,
  type FsckFinding,
  type FsckMessageId,
  type FsckOptions,
  fsckLevels,
  fsckLines,
  hashObject,
  type ObjectType,
  objectIdToBytes,
  parseFsckConfig,
  parseFsckMessageId,
  parseFsckSkipList,
  relaxedFsckSeverities,
} from "../src/index.ts";
import { commitText, latin1, someId, tagText, treeText } from "./fsck-samples.ts";

function check(type: ObjectType, text: string, options: Partial<FsckOptions> = {}): readonly FsckFinding[] {
  const bytes = latin1(text);
  const rawId = objectIdToBytes(hashObject("sha1", type, bytes));
  return createFsck({ format: "sha1", ...options }).check(type, rawId, bytes);
}

const told = (findings: readonly FsckFinding[]) => findings.map(({ severity, id }) => `${severity} ${id}`);
const setting = (key: string, value?: string) => ({ key, value });

const NO_MAIL = commitText("sha1", { author: "author A 1 +0000\n" });

describe("parseFsckConfig", () => {
  it("reads severities in any case of the id, skip lists, and passes over the rest", () => {
    const config = parseFsckConfig([
      setting("receive.fsck.missingemail", "warn"),
      setting("receive.fsck.BADTIMEZONE", "ignore"),
      setting("receive.fsck.missingemail", "error"),
      setting("receive.fsck.skiplist", "a b"),
      setting("receive.fsck.skiplist", "/c"),
      setting("receive.fsckobjects"),
      setting("fsck.baddate", "nonsense"),
      setting("receive.fsck.whatever", "nonsense"),
      setting("receive.fsck.badrefname", "ignore"),
    ]);
    expect(config).toEqual({
      severities: new Map<FsckMessageId, string>([
        ["missingEmail", "error"],
        ["badTimezone", "ignore"],
        ["badRefName", "ignore"],
      ]),
      maxPathnameBytes: undefined,
      skipLists: ["a b", "/c"],
      unknownIds: ["whatever"],
    });
  });

  it("takes another prefix, and severities to start from", () => {
    const { severities } = parseFsckConfig(
      [setting("fsck.baddate", "error")],
      "fsck.",
      relaxedFsckSeverities,
    );
    expect(severities.get("badDate")).toBe("error");
    expect(severities.get("badTimezone")).toBe("warn");
  });

  it.each([
    ["error", undefined],
    ["warn:10", 10],
    ["ignore:1k", 1024],
    ["error:2M", 2 * 1024 * 1024],
  ])("reads largePathname %j", (value, bytes) => {
    const { severities, maxPathnameBytes } = parseFsckConfig([setting("receive.fsck.largepathname", value)]);
    expect([severities.get("largePathname"), maxPathnameBytes]).toEqual([value.split(":")[0], bytes]);
  });

  it.each([
    ["receive.fsck.missingemail", "foo", "Unknown fsck message type: 'foo'"],
    ["receive.fsck.missingemail", "WARN", "Unknown fsck message type: 'WARN'"],
    ["receive.fsck.missingemail", "", "Unknown fsck message type: ''"],
    ["receive.fsck.missingemail", undefined, "missing value for 'receive.fsck.missingemail'"],
    ["receive.fsck.skiplist", undefined, "missing value for 'receive.fsck.skiplist'"],
    ["receive.fsck.unterminatedheader", "warn", "Cannot demote unterminatedheader to warn"],
    ["receive.fsck.nulinheader", "ignore", "Cannot demote nulinheader to ignore"],
    ["receive.fsck.largepathname", "warn:x", "unable to parse max tree entry len: x"],
    ["receive.fsck.largepathname", "warn:", "unable to parse max tree entry len: "],
    ["receive.fsck.largepathname", "warm:1", "Unknown fsck message type: 'warm'"],
  ])("refuses %s = %j in git's words", (key, value, message) => {
    expect(() => parseFsckConfig([setting(key, value)])).toThrow(
      expect.objectContaining({ code: "objects/bad-setting", message }),
    );
  });
});

describe("severities", () => {
  it.each<[string, "error" | "warn" | "ignore", string[]]>([
    ["error", "error", ["error missingEmail"]],
    ["warn", "warn", ["warn missingEmail"]],
    ["ignore", "ignore", []],
  ])("come to %s", (_, severity, expected) => {
    expect(told(check("commit", NO_MAIL, { severities: new Map([["missingEmail", severity]]) }))).toEqual(
      expected,
    );
  });

  it("let git look further when a message is none", () => {
    const text = commitText("sha1", { author: "author A 1 +0000\n", committer: "committer A <a> 1 1\n" });
    const severities = new Map([["missingEmail", "warn"]] as const);
    expect(told(check("commit", text, { severities }))).toEqual(["warn missingEmail", "error badTimezone"]);
  });

  it("never make less of a header without an end", () => {
    const severities = new Map([["unterminatedHeader", "ignore"]] as const);
    expect(told(check("commit", commitText("sha1", { rest: "x" }), { severities }))).toEqual([
      "error unterminatedHeader",
    ]);
  });

  it("do not let in what git cannot parse", () => {
    const severities = new Map([["missingTree", "ignore"]] as const);
    const [finding, ...more] = check("commit", commitText("sha1", { tree: "" }), { severities });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ id: undefined, severity: "error", refusal: "invalid commit" });
    expect(fsckLines(finding as FsckFinding)).toEqual([`error: bogus commit object ${finding?.objectId}`]);
  });

  it("can raise what is ignored", () => {
    const severities = new Map([["extraHeaderEntry", "error"]] as const);
    expect(told(check("tag", tagText("sha1", { rest: "x y\n\n" }), { severities }))).toEqual([
      "error extraHeaderEntry",
    ]);
  });

  it("set how long a name may be", () => {
    const tree = treeText("sha1", [["100644", "0123456789x"]]);
    expect(told(check("tree", tree, { maxPathnameBytes: 10 }))).toEqual(["error largePathname"]);
    expect(check("tree", tree, { maxPathnameBytes: 11 })).toEqual([]);
  });

  it.each<[string, ObjectType, string]>([
    ["zero-padded modes", "tree", treeText("sha1", [["040000", "a"]])],
    ["zones", "commit", commitText("sha1", { author: "author A <a> 1 -700\n" })],
    ["doubled brackets", "commit", commitText("sha1", { author: "author A <<a>> 1 +0000\n" })],
    ["no mail", "commit", NO_MAIL],
    ["NUL in a message", "commit", commitText("sha1", { rest: "\n\0\n" })],
  ])("relaxed ones warn of %s", (_, type, text) => {
    expect(check(type, text).map(({ severity }) => severity)).toEqual(["error"]);
    expect(check(type, text, { severities: relaxedFsckSeverities }).map(({ severity }) => severity)).toEqual([
      "warn",
    ]);
  });

  it("relaxed ones let in nothing that leads out of a work tree", () => {
    for (const id of relaxedFsckSeverities.keys())
      expect(id).not.toMatch(/^(git|has|full|dup|tree|null|large|empty)/);
    const tree = treeText("sha1", [["40000", ".git"]]);
    expect(told(check("tree", tree, { severities: relaxedFsckSeverities }))).toEqual(["error hasDotgit"]);
  });
});

describe("skip lists", () => {
  it.each(["sha1", "sha256"] as const)("hold ids, blanks, comments and empty lines, %s", (format) => {
    const [one, two, three] = ["1", "2", "a"].map((digit) => someId(format, digit));
    const file = `# comment\n${one}\n\n \n  ${two} # why\r\n\t${three?.toUpperCase()}`;
    const raw = parseFsckSkipList(latin1(file), format);
    expect(Buffer.from(raw).toString("hex")).toBe(`${one}${two}${three}`);
    expect(parseFsckSkipList(new Uint8Array(0), format)).toEqual(new Uint8Array(0));
  });

  it.each(["[core]", someId("sha256"), someId("sha1").slice(1), `${someId("sha1")} x`])(
    "refuse %j",
    (line) => {
      expect(() => parseFsckSkipList(latin1(`${line}\n`), "sha1")).toThrow(
        expect.objectContaining({ code: "objects/bad-setting", message: `invalid object name: ${line}` }),
      );
    },
  );

  it("keep what is told of others only", () => {
    const skip = parseFsckSkipList(latin1(hashObject("sha1", "commit", latin1(NO_MAIL))), "sha1");
    expect(check("commit", NO_MAIL, { skip })).toEqual([]);
    expect(told(check("commit", `${NO_MAIL}x`, { skip }))).toEqual(["error missingEmail"]);
  });
});

describe("what is told", () => {
  it("masks control characters and cuts long lines as git does", () => {
    const [finding] = check("tag", tagText("sha1", { tag: `tag a\x01\x7f\tb\x1b[2J${"x".repeat(5000)}\n` }));
    const [line = "", ...more] = fsckLines(finding as FsckFinding);
    expect(more).toEqual([]);
    expect(line.length).toBe(4095);
    expect(line).toContain(": badTagName: invalid 'tag' name: a??\tb?[2Jxxx");
  });

  it("of one object has a bound, within which an error has a place", () => {
    const links = Array.from({ length: 9 }, (_, i) => ["120000", `.mailmap${" ".repeat(i)}`] as const);
    const tree = treeText("sha1", [...links, ["40000", ".git"]]);
    expect(check("tree", tree)).toHaveLength(11);
    const bounded = check("tree", tree, { limits: { maxFindingsPerObject: 3 } });
    expect(told(bounded)).toEqual(["warn mailmapSymlink", "warn mailmapSymlink", "error hasDotgit"]);
  });
});

describe("what git cannot parse", () => {
  it.each<[ObjectType, string, string]>([
    ["commit", commitText("sha1", { tree: "" }), "missingTree"],
    ["commit", commitText("sha1", { tree: "tree x\n" }), "badTreeSha1"],
    ["commit", commitText("sha1", { parents: "parent x\n" }), "badParentSha1"],
    ["tag", tagText("sha1", { object: "" }), "missingObject"],
    ["tag", tagText("sha1", { object: "object x\n" }), "badObjectSha1"],
    ["tag", tagText("sha1", { type: "" }), "missingTypeEntry"],
    ["tag", tagText("sha1", { type: "type x\n" }), "badType"],
    ["tag", tagText("sha1", { tag: "" }), "missingTagEntry"],
  ])("can be explained: %s %j is a %s%s", (type, text, id) => {
    expect(told(check(type, text, { explainUnparsable: true }))).toEqual([`error ${id}`]);
    expect(told(check(type, text))).toEqual(["error undefined"]);
    const severities = new Map([[id as FsckMessageId, "warn"]] as const);
    expect(told(check(type, text, { explainUnparsable: true, severities }))[0]).toBe(`warn ${id}`);
  });
});

describe("message ids", () => {
  it("are found in any case", () => {
    expect(parseFsckMessageId("MissingEMAIL")).toBe("missingEmail");
    expect(parseFsckMessageId("missing_email")).toBeUndefined();
    expect(parseFsckMessageId("constructor")).toBeUndefined();
  });

  it("have git's levels", () => {
    const count = (level: string) => Object.values(fsckLevels).filter((each) => each === level).length;
    expect(["fatal", "error", "warn", "info", "ignore"].map(count)).toEqual([2, 51, 10, 12, 1]);
  });
});
