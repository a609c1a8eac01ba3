import type { ObjectFormat, ObjectType } from "../src/index.ts";
import { commitText, someId, tagText, treeText } from "./fsck-samples.ts";

/** An object and what git has against it. */
export interface FsckCase {
  readonly name: string;
  readonly type: ObjectType;
  /** The object, byte-exact. */
  text(format: ObjectFormat): string;
  /** `<severity> <id>: <message>`, in order; or `unparsable: <message>`, the object's id left out. */
  readonly findings: readonly string[];
  /** Stock git of some versions sees it differently. */
  readonly changedInGit?: boolean;
}

const ident = (what: string) => `invalid author/committer line - ${what}`;

/** A commit with this author line, to be refused with one message. */
function author(name: string, line: string, finding: string, changedInGit = false): FsckCase {
  const text = (format: ObjectFormat) => commitText(format, { author: `author ${line}\n` });
  return { name, type: "commit", text, findings: [finding], changedInGit };
}

function commit(name: string, text: FsckCase["text"], ...findings: string[]): FsckCase {
  return { name, type: "commit", text, findings };
}

function tag(name: string, text: FsckCase["text"], ...findings: string[]): FsckCase {
  return { name, type: "tag", text, findings };
}

function tree(
  name: string,
  entries: readonly (readonly [string, string, string?])[],
  ...findings: string[]
): FsckCase {
  return { name, type: "tree", text: (format) => treeText(format, entries), findings };
}

const COMMITS: readonly FsckCase[] = [
  commit("as it should be", (format) => commitText(format)),
  commit("without a message", (format) => commitText(format, { rest: "" })),
  commit("with more headers", (format) => commitText(format, { rest: "encoding x\ngpgsig y\n z\n\nm" })),
  commit(
    "NUL in the header",
    (format) => commitText(format, { rest: "x\0y\n\n" }),
    "error nulInHeader: unterminated header: NUL at offset %",
  ),
  commit(
    "header without an end",
    (format) => commitText(format, { rest: "x" }),
    "error unterminatedHeader: unterminated header",
  ),
  commit("no tree", (format) => commitText(format, { tree: "" }), "unparsable: bogus commit object"),
  commit(
    "an id that is too long",
    (format) => commitText(format, { tree: `tree ${someId(format)}1\n` }),
    "unparsable: bogus commit object",
  ),
  commit(
    "an id that is none",
    (format) => commitText(format, { tree: `tree ${someId(format, "x")}\n` }),
    "unparsable: bad tree pointer in commit",
  ),
  commit(
    "a parent that is none",
    (format) => commitText(format, { parents: `parent ${someId(format, "x")}\n` }),
    "unparsable: bad parents in commit",
  ),
  commit(
    "a parent that is none, near the end",
    (format) => commitText(format, { parents: "parent 12\n", author: "", committer: "", rest: "" }),
    "error badParentSha1: invalid 'parent' line format - bad sha1",
  ),
  commit(
    "no author",
    (format) => commitText(format, { author: "" }),
    "error missingAuthor: invalid format - expected 'author' line",
  ),
  commit(
    "two authors",
    (format) => commitText(format, { author: "author A <a> 1 +0000\n".repeat(2) }),
    "error multipleAuthors: invalid format - multiple 'author' lines",
  ),
  commit(
    "no committer",
    (format) => commitText(format, { committer: "" }),
    "error missingCommitter: invalid format - expected 'committer' line",
  ),
  commit(
    "a bad committer",
    (format) => commitText(format, { committer: "committer A <a> 1 +00000\n" }),
    `error badTimezone: ${ident("bad time zone")}`,
  ),
  commit(
    "NUL in the message",
    (format) => commitText(format, { rest: "\na\0b\n" }),
    "error nulInCommit: NUL byte in the commit object body",
  ),
  author("no name", "<a> 1 +0000", `error missingNameBeforeEmail: ${ident("missing space before email")}`),
  author(
    "no space before mail",
    "A<a> 1 +0000",
    `error missingSpaceBeforeEmail: ${ident("missing space before email")}`,
  ),
  author("no mail", "A a 1 +0000", `error missingEmail: ${ident("missing email")}`),
  author("a name with >", "A> <a> 1 +0000", `error badName: ${ident("bad name")}`),
  author("a mail with <", "A <a<> 1 +0000", `error badEmail: ${ident("bad email")}`),
  author("a mail without an end", "A <a 1 +0000", `error badEmail: ${ident("bad email")}`),
  author(
    "no space before the date",
    "A <a>1 +0000",
    `error missingSpaceBeforeDate: ${ident("missing space before date")}`,
  ),
  author("no date", "A <a> ", `error badDate: ${ident("bad date")}`, true),
  author("a date that is none", "A <a> x +0000", `error badDate: ${ident("bad date")}`),
  author("a date before 1970", "A <a> -1 +0000", `error badDate: ${ident("bad date")}`, true),
  author("a date that goes on", "A <a> 12x +0000", `error badDate: ${ident("bad date")}`),
  author(
    "a date with a zero before it",
    "A <a> 012 +0000",
    `error zeroPaddedDate: ${ident("zero-padded date")}`,
  ),
  author(
    "the first date too large",
    "A <a> 9223372036854775808 +0000",
    `error badDateOverflow: ${ident("date causes integer overflow")}`,
  ),
  author(
    "a much too large date",
    `A <a> ${"9".repeat(30)} +0000`,
    `error badDateOverflow: ${ident("date causes integer overflow")}`,
  ),
  author("no sign before the zone", "A <a> 1 0000", `error badTimezone: ${ident("bad time zone")}`),
  author("a zone that is too short", "A <a> 1 +000", `error badTimezone: ${ident("bad time zone")}`),
  author("a zone that goes on", "A <a> 1 +0000 ", `error badTimezone: ${ident("bad time zone")}`),
  commit("the largest date, and 0", (format) =>
    commitText(format, {
      author: "author A <a> 9223372036854775807 +0000\n",
      committer: "committer A <a> 0 -9999\n",
    }),
  ),
  commit("more spaces before the date, and an empty mail", (format) =>
    commitText(format, { author: "author  <>  \t 1 +0000\n" }),
  ),
];

const TAGS: readonly FsckCase[] = [
  tag("as it should be", (format) => tagText(format)),
  tag("signed in the header", (format) => tagText(format, { rest: "gpgsig x\n y\ngpgsig-sha256 z\n\nm\n" })),
  tag("without a message", (format) => tagText(format, { rest: "" })),
  tag("no object", (format) => tagText(format, { object: "" }), "unparsable: "),
  tag(
    "an id that is none",
    (format) => tagText(format, { object: `object ${someId(format, "x")}\n` }),
    "unparsable: ",
  ),
  tag("no type", (format) => tagText(format, { type: "" }), "unparsable: "),
  tag(
    "a type that does not exist",
    (format) => tagText(format, { type: "type blub\n" }),
    "unparsable: unknown tag type 'blub' in",
  ),
  tag("no name", (format) => tagText(format, { tag: "" }), "unparsable: "),
  tag(
    "NUL in the header",
    (format) => tagText(format, { rest: "\0\n\n" }),
    "error nulInHeader: unterminated header: NUL at offset %",
  ),
  tag(
    "header without an end",
    (format) => tagText(format, { rest: "x" }),
    "error unterminatedHeader: unterminated header",
  ),
  tag(
    "a name that no ref may have",
    (format) => tagText(format, { tag: "tag a..b\n" }),
    "warn badTagName: invalid 'tag' name: a..b",
  ),
  tag(
    "a name that ends in .lock",
    (format) => tagText(format, { tag: "tag a.lock/b\n" }),
    "warn badTagName: invalid 'tag' name: a.lock/b",
  ),
  tag(
    "an empty name",
    (format) => tagText(format, { tag: "tag \n" }),
    "warn badTagName: invalid 'tag' name: ",
  ),
  tag("a name in a folder", (format) => tagText(format, { tag: "tag a/@/b.c\n" })),
  tag(
    "no tagger",
    (format) => tagText(format, { tagger: "" }),
    "warn missingTaggerEntry: invalid format - expected 'tagger' line",
  ),
  tag(
    "a bad name and no tagger",
    (format) => tagText(format, { tag: "tag @{\n", tagger: "" }),
    "warn badTagName: invalid 'tag' name: @{",
    "warn missingTaggerEntry: invalid format - expected 'tagger' line",
  ),
  tag(
    "a bad tagger",
    (format) => tagText(format, { tagger: "tagger A 1 +0000\n" }),
    `error missingEmail: ${ident("missing email")}`,
  ),
  tag("headers git does not know", (format) => tagText(format, { rest: "x y\n\n" })),
];

const TREES: readonly FsckCase[] = [
  tree("empty", []),
  tree("as it should be", [
    ["100644", "a"],
    ["100755", "b"],
    ["120000", "c"],
    ["40000", "d"],
    ["160000", "e"],
  ]),
  {
    name: "cut short",
    type: "tree",
    text: (format) => treeText(format, [["100644", "a"]]).slice(0, -1),
    findings: ["error badTree: cannot be parsed as a tree"],
  },
  {
    name: "cut short in a later entry",
    type: "tree",
    text: (format) =>
      treeText(format, [
        ["100600", "a"],
        ["100644", "b"],
      ]).slice(0, -3),
    findings: ["error badTree: cannot be parsed as a tree"],
  },
  tree("a mode that is none", [["10064x", "a"]], "error badTree: cannot be parsed as a tree"),
  tree("no mode", [["", "a"]], "error badTree: cannot be parsed as a tree"),
  tree("no name", [["100644", ""]], "error badTree: cannot be parsed as a tree"),
  tree(
    "a bad second entry hides the first's mode, not its name",
    [
      ["100600", "."],
      ["", "b"],
    ],
    "error badTree: cannot be parsed as a tree",
    "error hasDot: contains '.'",
  ),
  tree("the null id", [["100644", "a", "0"]], "error nullSha1: contains entries pointing to null sha1"),
  tree("a name with /", [["100644", "a/b"]], "error fullPathname: contains full pathnames"),
  tree(".", [["40000", "."]], "error hasDot: contains '.'"),
  tree("..", [["40000", ".."]], "error hasDotdot: contains '..'"),
  tree("...", [["40000", "..."]]),
  ...[
    ".git",
    ".GIT",
    ".git ",
    ".git...",
    ".git . ",
    "git~1",
    "GIT~1",
    "git~1 ",
    ".git:stream",
    ".git::$INDEX_ALLOCATION:$DATA",
    "git~1:x",
    "a\\.git",
    "a\\git~1\\b",
    ".git\\x",
    ".g\xe2\x80\x8cit",
    "\xef\xbb\xbf.git",
    ".git\xe2\x81\xaf",
    ".GIT\xff",
    "\\.git ",
  ].map((name) =>
    tree(`a name for .git: ${JSON.stringify(name)}`, [["100644", name]], "error hasDotgit: contains '.git'"),
  ),
  ...[
    ".gitx",
    ".gi",
    "git~2",
    "git~11",
    ".git.x",
    "agit~1",
    ".g\xe2\x80\x8bit",
    ".git\xc3\xa9",
    "git",
    ".git\xe2\x80",
    "\xe2\x80\x8c",
  ].map((name) =>
    tree(
      `no name for .git: ${JSON.stringify(name)}`,
      [["100644", name]],
      ...(name === ".git\xe2\x80" ? ["error hasDotgit: contains '.git'"] : []),
    ),
  ),
  tree(
    "both .git and a path",
    [["100644", ".git/x"]],
    "error fullPathname: contains full pathnames",
    "error hasDotgit: contains '.git'",
  ),
  tree(
    "a mode with zeros before it",
    [["0100644", "a"]],
    "error zeroPaddedFilemode: contains zero-padded file modes",
  ),
  tree("a mode of old", [["100664", "a"]], "warn badFilemode: contains bad file modes"),
  tree("a mode of no kind", [["123456", "a"]], "warn badFilemode: contains bad file modes"),
  tree(
    "twice the same",
    [
      ["100644", "a"],
      ["100644", "a"],
    ],
    "error duplicateEntries: contains duplicate file entries",
  ),
  tree(
    "a file and a directory of one name",
    [
      ["100644", "a"],
      ["40000", "a"],
    ],
    "error duplicateEntries: contains duplicate file entries",
  ),
  tree(
    "the same with others between",
    [
      ["100644", "a"],
      ["100644", "a.b"],
      ["40000", "a"],
    ],
    "error duplicateEntries: contains duplicate file entries",
  ),
  tree(
    "the same with many between",
    [
      ["100644", "a"],
      ["100644", "a.b"],
      ["100644", "a.b.c"],
      ["40000", "a.b"],
      ["40000", "a"],
    ],
    "error duplicateEntries: contains duplicate file entries",
  ),
  tree("only alike", [
    ["100644", "a"],
    ["100644", "a.b"],
    ["40000", "a.c"],
    ["40000", "ab"],
  ]),
  tree(
    "out of order",
    [
      ["100644", "b"],
      ["100644", "a"],
    ],
    "error treeNotSorted: not properly sorted",
  ),
  tree(
    "a directory sorted as a file",
    [
      ["40000", "a"],
      ["100644", "a.b"],
    ],
    "error treeNotSorted: not properly sorted",
  ),
  tree(
    "a file sorted as a directory",
    [
      ["100644", "a0"],
      ["100644", "a"],
    ],
    "error treeNotSorted: not properly sorted",
  ),
  {
    ...tree(
      "a very long name",
      [["100644", "x".repeat(4097)]],
      "error largePathname: contains excessively large pathname",
    ),
    changedInGit: true,
  },
  tree("a long name", [["100644", "x".repeat(4096)]]),
  ...[
    ".gitmodules",
    ".GITMODULES",
    "gitmod~1",
    "GI7EBA~1",
    "gi7eb~12",
    "~1234567",
    ".gitmodules .:x",
    "x\\.gitmodules",
  ].map((name) =>
    tree(
      `a link for .gitmodules: ${JSON.stringify(name)}`,
      [["120000", name]],
      "error gitmodulesSymlink: .gitmodules is a symbolic link",
      ...(name === "~1234567"
        ? [
            "warn gitattributesSymlink: .gitattributes is a symlink",
            "warn gitignoreSymlink: .gitignore is a symlink",
            "warn mailmapSymlink: .mailmap is a symlink",
          ]
        : []),
    ),
  ),
  ...["gitmod~5", "gitmod~", "gi7eba~0", "gi7eba~x", ".gitmodulesx", "gi7eba~1x"].map((name) =>
    tree(`no link for .gitmodules: ${JSON.stringify(name)}`, [["120000", name]]),
  ),
  tree(
    "links for all",
    [
      ["120000", ".gitattributes"],
      ["120000", ".gitignore"],
      ["120000", ".mailmap"],
    ],
    "warn gitattributesSymlink: .gitattributes is a symlink",
    "warn gitignoreSymlink: .gitignore is a symlink",
    "warn mailmapSymlink: .mailmap is a symlink",
  ),
  tree(
    "links by short names",
    [
      ["120000", "GITATT~1"],
      ["120000", "gitign~1"],
      ["120000", "maba30~1"],
    ],
    "warn gitattributesSymlink: .gitattributes is a symlink",
    "warn gitignoreSymlink: .gitignore is a symlink",
    "warn mailmapSymlink: .mailmap is a symlink",
  ),
  tree(
    "everything at once",
    [
      ["0100644", "b/c", "0"],
      ["100600", ".git"],
      ["40000", ".git"],
      ["40000", ".."],
      ["40000", "."],
    ],
    "error nullSha1: contains entries pointing to null sha1",
    "error fullPathname: contains full pathnames",
    "error hasDot: contains '.'",
    "error hasDotdot: contains '..'",
    "error hasDotgit: contains '.git'",
    "error zeroPaddedFilemode: contains zero-padded file modes",
    "warn badFilemode: contains bad file modes",
    "error duplicateEntries: contains duplicate file entries",
    "error treeNotSorted: not properly sorted",
  ),
];

/** Objects of every kind, good and bad, and git's messages. */
export const FSCK_CASES: readonly FsckCase[] = [...COMMITS, ...TAGS, ...TREES];
