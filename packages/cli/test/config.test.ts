import { writeFileSync } from "node:fs";
import { temporaryDirectory } from "@tooling/test-kit";
import { DEFAULT_FILE_HOOK_LIMITS } from "@x/file-hooks";
import { DEFAULT_SSH_LIMITS } from "@x/transport-ssh";
import { describe, expect, it } from "vitest";
import { loadConfig, variableOf } from "../src/config/load-config.ts";
import { printConfig } from "../src/config/print-config.ts";
import { readServeConfig } from "../src/config/serve-config.ts";
import { SETTINGS } from "../src/config/settings.ts";

/** A config file of that name. */
function file(name: string, text: string): string {
  const path = `${temporaryDirectory("config")}/${name}`;
  writeFileSync(path, text);
  return path;
}

const NOTHING = { flags: new Map(), env: {}, file: undefined, directory: "/here" };

/** What loading says is wrong: first what, then everything behind it. */
async function faultOf(options: Partial<Parameters<typeof loadConfig>[0]>): Promise<string> {
  const error: unknown = await loadConfig({ ...NOTHING, ...options }).catch((thrown: unknown) => thrown);
  if (!(error instanceof Error)) throw new Error("it was good");
  return `${error.message}\n${"after" in error ? String(error.after) : ""}`.trim();
}

describe("loading a config", () => {
  it("has defaults for everything but what may be left open", async () => {
    const config = await loadConfig(NOTHING);
    expect(config.get("host")).toBe("127.0.0.1");
    expect(config.get("http.port")).toBeUndefined();
    expect(config.get("https.port")).toBe("off");
    expect(config.limits("limits").maxWants).toBe(65_536);
    expect(config.limits("limits").receive.maxTreeDepth).toBe(2048);
    expect(config.limits("limits").receive.maxPackBytes).toBe(Number.POSITIVE_INFINITY);
    expect(config.limits("http.limits").maxPushRequestBytes).toBe(Number.POSITIVE_INFINITY);
    expect("maxConnectionsPerAddress" in config.limits("git.limits")).toBe(false);
  });

  it("counts a flag more than a variable, and a variable more than the file", async () => {
    const path = file("x.toml", 'host = "file"\nfsck = "relaxed"\ndurability = "git"\n');
    const config = await readServeConfig(
      undefined,
      new Map<string, unknown>([
        ["config", path],
        ["durability", "none"],
      ]),
      { env: { XGIT_FSCK: "off", XGIT_DURABILITY: "full" } },
    );
    expect(config.get("host")).toBe("file");
    expect(config.get("fsck")).toBe("off");
    expect(config.get("durability")).toBe("none");
  });

  it("takes a flag of its own before --set, and DIR before both", async () => {
    const given = new Map<string, unknown>([
      ["set", ["host=a", "root=b", "limits.maxWants=7", "graceMs=none"]],
      ["host", "c"],
    ]);
    const config = await readServeConfig("/dir", given, { env: {} });
    expect([config.get("host"), config.get("root"), config.get("graceMs")]).toEqual(["c", "/dir", "none"]);
    expect(config.limits("limits").maxWants).toBe(7);
  });

  it.each([
    ["x.toml", 'https.port = 0\n[http]\nport = "off"\n[http.limits]\nmaxInflatedBytes = 9\n'],
    ["x.json", '{"https":{"port":0},"http":{"port":"off","limits":{"maxInflatedBytes":9}}}'],
  ])("reads %s", async (name, text) => {
    const config = await loadConfig({ ...NOTHING, file: file(name, text) });
    expect([config.get("https.port"), config.get("http.port")]).toEqual([0, "off"]);
    expect(config.limits("http.limits").maxInflatedBytes).toBe(9);
  });

  it("counts relative paths from where they are set", async () => {
    const path = file("x.toml", 'root = "repositories"\nhttps.key = "/abs/key"\n');
    const config = await loadConfig({ ...NOTHING, file: path, env: { XGIT_HTTPS_CERTIFICATE: "c.pem" } });
    expect(config.get("root")).toBe(path.replace("x.toml", "repositories"));
    expect(config.get("https.key")).toBe("/abs/key");
    expect(config.get("https.certificate")).toBe("/here/c.pem");
  });

  it("names every key of a file that is no good, and what was expected there", async () => {
    const path = file(
      "x.toml",
      'hots = "a"\nfsck = "strong"\n[http]\nport = 70000\nprot = 1\n[limits]\nmaxWants = -1\nkeepaliveMs = 3000000000\n',
    );
    expect((await faultOf({ file: path })).split("\n")).toEqual([
      `${path}: hots: there is no such setting`,
      `error: ${path}: fsck: expected one of strict, relaxed, off, found "strong"`,
      `error: ${path}: http.port: expected a port from 0 to 65535, or "off", found 70000`,
      `error: ${path}: http.prot: there is no such setting`,
      `error: ${path}: limits.maxWants: expected a whole number, or "none", found -1`,
      `error: ${path}: limits.keepaliveMs: expected a whole number of milliseconds up to 2147483647, or "none", found 3000000000`,
    ]);
  });

  it("hints at the setting that was meant", async () => {
    expect(await faultOf({ file: file("x.toml", "maxWants = 1") })).toContain("(is limits.maxWants meant?)");
  });

  it.each([
    ["x.toml", "a = \n", /x\.toml:1:\d+: not TOML: /],
    ["x.toml", "host = 'a'\nhost = 'b'\n", /x\.toml:2:\d+: not TOML: /],
    ["x.json", "{", /x\.json: not JSON: /],
    ["x.json", "[]", /x\.json: expected an object of settings/],
    ["x.json", '{"__proto__":{"host":"x"}}', /x\.json: __proto__\.host: there is no such setting/],
  ])("says where %s is not understood: %j", async (name, text, expected) => {
    expect(await faultOf({ file: file(name, text) })).toMatch(expected);
  });

  it("says which file is not there", async () => {
    expect(await faultOf({ file: "/does/not/exist.toml" })).toContain("/does/not/exist.toml: ENOENT");
  });

  it.each([
    ["XGIT_HTTP_PORT", "x", 'expected a port from 0 to 65535, or "off", found "x"'],
    ["XGIT_HTTP_PORT", "+1", 'expected a port from 0 to 65535, or "off", found "+1"'],
    ["XGIT_HTTP_PORT", "tcp://10.0.0.1:80", "expected a port"],
    ["XGIT_HOOKS", "yes", 'expected true or false, found "yes"'],
    ["XGIT_ADMIN_TOKEN", "short", "expected a text of 16 characters or more, found something else"],
    ["XGIT_LIMITS_RECEIVE_MAX_OBJECTS", "1e3", "expected a whole number"],
  ])("names a variable that is no good: %s=%s", async (name, value, expected) => {
    const fault = await faultOf({ env: { [name]: value } });
    expect(fault).toContain(`${name}: ${expected}`);
  });

  it("reads variables as what their settings are", async () => {
    const env = {
      XGIT_HTTP_PORT: "0",
      XGIT_GIT_PORT: "off",
      XGIT_HOOKS: "false",
      XGIT_ENABLE: "receive-pack",
      XGIT_ADMIN_TOKEN: "1234567890123456",
      XGIT_LIMITS_RECEIVE_MAX_OBJECTS: "12",
      XGIT_HOST: "",
      XGIT_OTHER: "not ours",
    };
    const config = await loadConfig({ ...NOTHING, env });
    expect(config.get("http.port")).toBe(0);
    expect(config.get("git.port")).toBe("off");
    expect(config.get("hooks")).toBe(false);
    expect(config.get("enable")).toEqual(["receive-pack"]);
    expect(config.get("admin.token")).toBe("1234567890123456");
    expect(config.limits("limits").receive.maxObjects).toBe(12);
    expect(config.get("host")).toBe("127.0.0.1");
  });

  it("knows the limits of parts that it does not load", async () => {
    const config = await loadConfig(NOTHING);
    expect(config.limits("ssh.limits")).toEqual(DEFAULT_SSH_LIMITS);
    expect(config.limits("hook.limits")).toEqual(DEFAULT_FILE_HOOK_LIMITS);
  });

  it("has another variable for each setting", () => {
    expect(variableOf("http.limits.maxInflatedBytes")).toBe("XGIT_HTTP_LIMITS_MAX_INFLATED_BYTES");
    const names = [...SETTINGS.keys()].map(variableOf);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("printing a config", () => {
  it("gives a file that means the same, says who set what, and keeps secrets", async () => {
    const path = file("x.toml", 'enable = ["receive-pack"]\n[limits]\nmaxWants = 5\n');
    const env = { XGIT_FSCK: "off", XGIT_ADMIN_TOKEN: "a-secret-of-length" };
    const config = await loadConfig({ ...NOTHING, file: path, env });
    const printed = printConfig(config);
    expect(printed).toContain(`limits.maxWants = 5 # ${path}\n`);
    expect(printed).toContain('fsck = "off" # XGIT_FSCK\n');
    expect(printed).toContain('host = "127.0.0.1" # default\n');
    expect(printed).toContain("# admin.token is set: XGIT_ADMIN_TOKEN\n");
    expect(printed).not.toContain("a-secret");
    const again = await loadConfig({ ...NOTHING, file: file("again.toml", printed) });
    const values = (of: typeof config) =>
      [...of.entries()].filter(({ isSecret }) => !isSecret).map(({ key, value }) => [key, value]);
    expect(values(again)).toEqual(values(config));
  });
});
