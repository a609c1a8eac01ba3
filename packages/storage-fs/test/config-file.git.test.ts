import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../src/config/config-file.ts";
import { parseConfigBoolean, parseConfigInteger } from "../src/config/config-value.ts";

const directory = temporaryDirectory("config");
const file = join(directory, "config");

describe("parseConfig beside git config", () => {
  it.each([
    '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n[remote "origin"]\n\turl = a:b\n\tfetch = +refs/*:refs/*\n',
    '[a "B c"] d\n e = f g ; h\n[A.B]x="y z" # q\n',
    '[a]b=\\"x\\"\\\\\n\tc = "a # b" c\n\td = x\\\n   y\n',
    "[a]\r\nb = c\r\n\r\n",
    "[a]\n\tb = \xfe\xff\n",
    '[a "]"]\nb=c\n',
    "[a]\nb = c",
    '[a "\\x"]\nb-c = d\n',
    "[a-1.2]\nb = \n",
    "[a]b=1\nb=2\n[a]\nB=3",
    "[a\n",
    "[a]\nb c\n",
    "[a]\n\tb = \\q\n",
    '[a]\n\tb = "q\n',
    "b = c\n",
    "[a]\n_b = c\n",
    '[a "b]\nc = d\n',
    "[a b]\nc = d\n",
    "[]\nb = c\n",
    '[ "x"]\nb = c\n',
    "[a]\nb = c\\",
    "[a]\nb = c \\\r\n d\r",
  ])("agrees on %j", async (text) => {
    writeFileSync(file, text, "latin1");
    const { status, stdout } = await tryGit(["config", "-z", "--list", "--file", file]);
    let ours: string | undefined;
    try {
      const entries = parseConfig(Buffer.from(text, "latin1"));
      ours = entries
        .map(({ key, value }) => (value === undefined ? `${key}\0` : `${key}\n${value}\0`))
        .join("");
    } catch {
      ours = undefined;
    }
    expect(ours).toEqual(status === 0 ? stdout : undefined);
  });
});

describe("config values beside git config", () => {
  const values = [
    "true",
    "YES",
    "on",
    "1",
    "false",
    "no",
    "Off",
    "0",
    "",
    "2k",
    "-1",
    "maybe",
    "truee",
    "0x10",
    "010",
  ];
  it.each(values)("reads %j as a boolean", async (value) => {
    writeFileSync(file, `[a]\nb = ${value}\n`);
    const { status, stdout } = await tryGit(["config", "--type=bool", "--file", file, "a.b"]);
    expect(parseConfigBoolean(value)).toBe(status === 0 ? stdout === "true\n" : undefined);
  });

  it.each(["0", "1", "-5", "+5", "1k", "2M", "3g", "0x1f", "010", "09", "k", "1kk", "1.5", "1 k", "", "abc"])(
    "reads %j as an integer",
    async (value) => {
      writeFileSync(file, `[a]\nb = ${value}\n`);
      const { status, stdout } = await tryGit(["config", "--type=int", "--file", file, "a.b"]);
      expect(parseConfigInteger(value)).toBe(status === 0 ? Number(stdout) : undefined);
    },
  );
});
