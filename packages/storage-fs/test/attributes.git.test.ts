import { mkdirSync, writeFileSync } from "node:fs";
import { createTestRepository, tryGit } from "@tooling/test-kit";
import { Attributes } from "@x/objects";
import { describe, expect, it } from "vitest";

const FILES: Readonly<Record<string, string>> = {
  "": `# a comment
* text=auto
*.txt text
*.bin binary
*.BAT eol=crlf
/only-top -text
dir/*.c ident
dir/** eol=lf
**/deep/x filter=lfs
[attr]own text=auto eol=crlf -ident
*.own own
*.own2 own ident !text
"with space" eol=lf
"tab\\there" eol=crlf
"\\303\\251" -text
!negative text
directory/ text
[a-c]?.x crlf=input
a\\*b filter=star
*.many text -text text=auto
*.bad =x --x text
	*.tabbed	eol=crlf	-text\r
`,
  "dir/": "*.txt !text\nx.c -ident\n/anchored filter=a\nsub/anchored filter=b\n[attr]late text\n",
  "dir/sub/": "* -text eol=lf\n*.keep !text !eol\n",
};
const REPOSITORY = "*.repo filter=repo\ndir/sub/last.txt eol=crlf\n";

const PATHS = [
  ...["a", "a.txt", "a.bin", "a.bat", "a.BAT", "only-top", "x/only-top", "dir/x.c", "dir/y.c", "dir/sub/z.c"],
  ...[
    "deep/x",
    "q/deep/x",
    "dir/deep/x",
    "a.own",
    "a.own2",
    "with space",
    "tab\there",
    "\u00c3\u00a9",
    "negative",
  ],
  ...[
    "directory/x",
    "directory",
    "ab.x",
    "dd.x",
    "a*b",
    "axb",
    "f.many",
    "f.bad",
    "f.tabbed",
    "dir/anchored",
  ],
  ...[
    "dir/sub/anchored",
    "dir/q/anchored",
    "dir/a.txt",
    "dir/sub/a.txt",
    "dir/sub/a.keep",
    "a.repo",
    "dir/sub/last.txt",
  ],
];
const NAMES = ["text", "eol", "crlf", "ident", "filter", "diff", "merge", "binary"];

describe("attributes", () => {
  it.each([false, true])("are as git tells them, core.ignoreCase=%s", async (ignoreCase) => {
    const { directory, git: run } = await createTestRepository();
    await run("config", "core.ignoreCase", String(ignoreCase));
    mkdirSync(`${directory}/dir/sub`, { recursive: true });
    for (const [at, text] of Object.entries(FILES)) writeFileSync(`${directory}/${at}.gitattributes`, text);
    mkdirSync(`${directory}/.git/info`, { recursive: true });
    writeFileSync(`${directory}/.git/info/attributes`, REPOSITORY);
    const read = (at: string) => FILES[at];
    const attributes = new Attributes({ read, repository: REPOSITORY, user: undefined, ignoreCase });
    const input = Buffer.from(PATHS.map((path) => `${path}\0`).join(""), "latin1");
    const { stdout } = await tryGit(["check-attr", "--stdin", "-z", ...NAMES], { cwd: directory, input });
    const fields = stdout.split("\0");
    const theirs: string[] = [];
    for (let i = 0; i + 2 < fields.length; i += 3) theirs.push(fields.slice(i, i + 3).join(" | "));
    const ours = PATHS.flatMap((path) => {
      const found = attributes.of(path);
      return NAMES.map((name) => `${path} | ${name} | ${word(found.get(name))}`);
    });
    expect(ours).toEqual(theirs);
  });
});

function word(state: boolean | string | undefined): string {
  return state === undefined ? "unspecified" : state === true ? "set" : state === false ? "unset" : state;
}
