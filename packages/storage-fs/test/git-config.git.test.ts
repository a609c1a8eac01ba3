import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type GitConfig,
  readGitConfig,
  readLayout,
  readProtectedConfig,
  StorageFsError,
} from "../src/index.ts";

let root = "";
let home = "";
let r = "";
beforeEach(async () => {
  root = temporaryDirectory("config");
  home = `${root}/home`;
  r = `${root}/r.git`;
  mkdirSync(home);
  await git(["init", "-q", "--bare", "-b", "main", r]);
});

type Files = Readonly<Record<string, string>>;
type Env = Readonly<Record<string, string>>;

function write(files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replaceAll("ROOT", root), { flag: name === "r.git/config" ? "a" : "w" });
  }
}

function environment(env: Env): Record<string, string> {
  const all: Record<string, string> = { HOME: home, GIT_CONFIG_NOSYSTEM: "1", ...env };
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name, value.replaceAll("ROOT", root)]),
  );
}

async function ours(env: Env = {}): Promise<GitConfig> {
  const layout = await readLayout(r);
  if (layout === undefined) throw new Error("no repository");
  return readGitConfig({ layout, env: environment(env) });
}

/** What git says is set, scope by scope. */
async function gits(env: Env): Promise<string[]> {
  const { stdout } = await tryGit([`--git-dir=${r}`, "config", "--list", "--show-scope", "-z"], {
    cwd: root,
    env: { GIT_CONFIG_COUNT: "0", ...environment(env) },
  });
  const parts = stdout.split("\0");
  return parts.flatMap((part, i) => (i % 2 === 0 && part !== "" ? [`${part} ${parts[i + 1]}`] : []));
}

const listed = ({ entries }: GitConfig) =>
  entries.map(({ scope, key, value }) => `${scope} ${key}${value === undefined ? "" : `\n${value}`}`);

describe("settings of all scopes", () => {
  const cases: readonly [name: string, files: Files, env?: Env][] = [
    ["user's, by both names", { "home/.gitconfig": "[a]b=1\n", "home/.config/git/config": "[a]b=0\nc\n" }],
    ["user's, XDG_CONFIG_HOME", { "xdg/git/config": "[a]b=1" }, { XDG_CONFIG_HOME: "ROOT/xdg" }],
    [
      "GIT_CONFIG_GLOBAL instead of both",
      { "home/.gitconfig": "[a]b=1\n", other: "[a]b=2\n" },
      { GIT_CONFIG_GLOBAL: "ROOT/other" },
    ],
    [
      "GIT_CONFIG_GLOBAL that is not there",
      { "home/.gitconfig": "[a]b=1" },
      { GIT_CONFIG_GLOBAL: "/nowhere" },
    ],
    ["system", { sys: "[a]b=1" }, { GIT_CONFIG_SYSTEM: "ROOT/sys", GIT_CONFIG_NOSYSTEM: "false" }],
    ["no system", { sys: "[a]b=1" }, { GIT_CONFIG_SYSTEM: "ROOT/sys", GIT_CONFIG_NOSYSTEM: "yes" }],
    ["repository's", { "home/.gitconfig": "[a]b=1\n", "r.git/config": "[a]b=2\n" }],
    [
      "work tree's",
      { "r.git/config": "[extensions]worktreeConfig=true\n[a]b=1\n", "r.git/config.worktree": "[a]b=2\n" },
    ],
    ["work tree's, not asked for", { "r.git/config.worktree": "[a]b=2\n" }],
    [
      "environment",
      { "r.git/config": "[a]b=2\n" },
      {
        GIT_CONFIG_COUNT: "2",
        GIT_CONFIG_KEY_0: "A.x Y.B",
        GIT_CONFIG_VALUE_0: "é",
        GIT_CONFIG_KEY_1: "a.B",
        GIT_CONFIG_VALUE_1: "",
      },
    ],
    [
      "GIT_CONFIG_PARAMETERS in both forms",
      {},
      { GIT_CONFIG_PARAMETERS: `'a.b=c=d' 'A.b' 'a.x=y.B'='it'\\''s'\\!'' 'a.c'= 'a.d'=''` },
    ],
    ["an empty count", {}, { GIT_CONFIG_COUNT: "" }],
    [
      "include.path, relative and below home",
      {
        "home/.gitconfig": "[include]path=sub/one\n[a]b=1\n[include]path=~/two\npath=/nowhere\n",
        "home/sub/one": "[a]c=2\n[include]path=../two\n",
        "home/two": "[a]d=3\n",
      },
    ],
    ["includes of the repository", { "r.git/config": "[include]path=more\n", "r.git/more": "[a]b=1\n" }],
    [
      "an include of the environment",
      { more: "[a]b=1\n" },
      { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "include.path", GIT_CONFIG_VALUE_0: "ROOT/more" },
    ],
    ...[
      "gitdir:ROOT/r.git",
      "gitdir:r.git",
      "gitdir:ROOT/",
      "gitdir:ROOT/*",
      "gitdir:ROOT/*/",
      "gitdir:**/r.git",
      "gitdir:R.GIT",
      "gitdir/i:R.GIT",
      "gitdir/i:ROOT/R.[f-h]IT",
      "gitdir:./",
      "gitdir:./../r.git",
      "gitdir:~/../r.git",
      "gitdir:~/",
      "gitdir:r.g?t",
      "gitdir:[[:alpha:]].git",
      "gitdir:[!r].git",
      "gitdir:r.git/**",
      "gitdir:link.git",
      "onbranch:main",
      "onbranch:m*",
      "onbranch:main/",
      "onbranch:**",
      "onbranch:other",
      "worktree:ROOT/",
      "nonsense:x",
    ].map((condition): [string, Files] => [
      condition,
      { "home/.gitconfig": `[includeIf "${condition}"]path=more\n`, "home/more": "[a]b=1\n" },
    ]),
    [
      "gitdir:./ beside the repository",
      {
        "r.git/config": '[includeIf "gitdir:./"]path=more\n[includeIf "gitdir:./../r.git"]path=more\n',
        "r.git/more": "[a]b=1\n",
      },
    ],
    ...["https://e.org/**", "https://e.org/*", "https://other/**"].map((glob): [string, Files] => [
      `hasconfig ${glob}`,
      {
        "home/.gitconfig": `[includeIf "hasconfig:remote.*.url:${glob}"]path=more\n`,
        "home/more": "[a]b=1\n",
        "r.git/config": '[remote "x"]url=https://e.org/a/b\n',
      },
    ]),
  ];

  it.each(cases)("%s", async (_, files, env = {}) => {
    write(files);
    const expected = await gits(env);
    expect(expected.length).toBeGreaterThan(2);
    expect(listed(await ours(env))).toEqual(expected);
  });

  it("follow symlinks", async () => {
    write({ real: "[a]b=1\n" });
    symlinkSync(`${root}/real`, `${home}/.gitconfig`);
    expect((await ours()).config.get("a.b")).toBe("1");
  });
});

describe("protected settings", () => {
  it("are those of the system, the user and the environment", async () => {
    write({
      sys: "[a]system=1\n",
      "home/.gitconfig": '[a]user=1\n[includeIf "onbranch:main"]path=more\n[include]path=plain\n',
      "home/more": "[a]more=1\n",
      "home/plain": "[a]plain=1\n",
      "r.git/config": "[a]local=1\n[extensions]worktreeConfig\n",
      "r.git/config.worktree": "[a]worktree=1\n",
    });
    const env = {
      GIT_CONFIG_NOSYSTEM: "0",
      GIT_CONFIG_SYSTEM: "ROOT/sys",
      GIT_CONFIG_PARAMETERS: "'a.command=1'",
    };
    const { protectedConfig, config } = await ours(env);
    const names = ["system", "user", "plain", "more", "local", "worktree", "command"];
    expect(names.map((name) => config.get(`a.${name}`))).toEqual(names.map(() => "1"));
    for (const found of [protectedConfig, await readProtectedConfig(environment(env))])
      expect(names.filter((name) => found.get(`a.${name}`) === "1")).toEqual([
        "system",
        "user",
        "plain",
        "command",
      ]);
  });
});

describe("refusals in git's words", () => {
  const cases: readonly [files: Files, env: Env, message: string, cause?: string][] = [
    [{ "home/.gitconfig": "[a" }, {}, "bad config line 1 in file ROOT/home/.gitconfig"],
    [{ "r.git/config": "[a" }, {}, "bad config line 5 in file ./config"],
    [
      { "home/.gitconfig": "[include]path=.gitconfig" },
      {},
      "exceeded maximum include depth (10) while including ROOT/home/.gitconfig from ROOT/home/.gitconfig",
    ],
    [{ "home/.gitconfig": "[include]path=~who/x" }, {}, "could not expand include path '~who/x'"],
    [{}, { GIT_CONFIG_PARAMETERS: "'include.path=x'" }, "relative config includes must come from files"],
    ...(
      [
        ["x", "bogus count in GIT_CONFIG_COUNT"],
        ["1", "missing config key GIT_CONFIG_KEY_0"],
        ["99999999", "too many entries in GIT_CONFIG_COUNT"],
      ] as const
    ).map(([count, cause]): [Files, Env, string, string] => [
      {},
      { GIT_CONFIG_COUNT: count },
      "unable to parse command-line config",
      cause,
    ]),
    ...(
      [
        ["x", "bogus format in GIT_CONFIG_PARAMETERS"],
        ["'a.b'x", "bogus format in GIT_CONFIG_PARAMETERS"],
        ["'a.b'=x", "bogus format in GIT_CONFIG_PARAMETERS"],
        ["'a.b", "bogus format in GIT_CONFIG_PARAMETERS"],
        ["'=x'", "bogus config parameter: =x"],
        ["'a'", "key does not contain a section: a"],
        ["'a.'", "key does not contain variable name: a."],
        ["'a.1'", "invalid key: a.1"],
        ["'a b.c'", "invalid key: a b.c"],
        ["'a.x\ny.c'", "invalid key (newline): a.x\ny.c"],
      ] as const
    ).map(([text, cause]): [Files, Env, string, string] => [
      {},
      { GIT_CONFIG_PARAMETERS: text },
      "unable to parse command-line config",
      cause,
    ]),
  ];
  it.each(cases)("%j %j", async (files, env, message, cause) => {
    write(files);
    const error = await ours(env).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StorageFsError);
    expect(error).toMatchObject({
      code: "storage-fs/bad-config",
      message: message.replaceAll("ROOT", root),
      ...(cause === undefined ? {} : { cause: { message: cause } }),
    });
  });

  it("bound what includes of includes can multiply to", async () => {
    const names = Array.from({ length: 9 }, (_, i) => `f${i}`);
    write({ "home/.gitconfig": "[include]path=f0\n" });
    for (const [i, name] of names.entries())
      write({ [`home/${name}`]: `[include]\n${`path=${names[i + 1] ?? "end"}\n`.repeat(8)}` });
    await expect(ours()).rejects.toThrow("more than 1000 config files");
  });

  it("say so when a URL hides behind a condition on URLs", async () => {
    write({
      "home/.gitconfig": '[includeIf "hasconfig:remote.*.url:*"]path=more\n',
      "home/more": '[remote "x"]url=y\n',
    });
    await expect(ours()).rejects.toThrow("remote URLs cannot be configured in file");
  });

  it("pass over a user's file that may not be read", async () => {
    write({ "home/.gitconfig": "[a]b=1\n" });
    chmodSync(`${home}/.gitconfig`, 0);
    // For root there is no such file.
    expect((await ours()).config.get("a.b")).toBe(process.getuid?.() === 0 ? "1" : undefined);
  });
});
