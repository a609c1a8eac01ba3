import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type ExportedRepositoriesOptions,
  exportedRepositories,
} from "../src/repository/exported-repositories.ts";

const root = temporaryDirectory("exported");
const outside = temporaryDirectory("outside");
const bare = async (path: string, exported = true) => {
  await git(["init", "-q", "--bare", path]);
  if (exported) writeFileSync(join(path, "git-daemon-export-ok"), "");
};

beforeAll(async () => {
  await bare(join(root, "a.git"));
  await bare(join(root, "private.git"), false);
  await bare(join(root, "host.example", "v.git"));
  await bare(join(root, "team", "b.git"));
  await bare(join(outside, "secret.git"));
  await git(["init", "-q", join(root, "tree")]);
  writeFileSync(join(root, "tree", ".git", "git-daemon-export-ok"), "");
  mkdirSync(join(root, "pointer"));
  writeFileSync(join(root, "pointer", ".git"), "gitdir: ../a.git\n");
  symlinkSync(join(outside, "secret.git"), join(root, "link.git"));
  symlinkSync(join(root, "a.git"), join(root, "inner.git"));
});

/** Where it was found, or why not. */
async function look(
  options: ExportedRepositoriesOptions,
  path: string,
  host?: string,
  port?: number,
): Promise<string> {
  const found = await exportedRepositories(options).find({ path, host, port });
  return found.status === "found" ? found.path : `${found.status}: ${found.why}`;
}

describe("exportedRepositories", () => {
  it("exports what is marked, and all only if told to", async () => {
    expect(await look({ basePath: root }, "/a.git")).toBe(join(root, "a.git"));
    expect(await look({ basePath: root }, "/private.git")).toMatch(
      /^not-exported: .*repository not exported\.$/,
    );
    expect(await look({ basePath: root, exportAll: true }, "/private")).toBe(join(root, "private.git"));
  });

  it("looks behind a path as git does, unless it is strict", async () => {
    const options = { basePath: root };
    expect(await look(options, "/a")).toBe(join(root, "a.git"));
    expect(await look(options, "/a.git/")).toBe(join(root, "a.git"));
    expect(await look(options, "/tree")).toBe(join(root, "tree", ".git"));
    expect(await look(options, "/pointer")).toBe(join(root, "pointer", ".git"));
    const strict = { ...options, strictPaths: true, directories: [join(root, "a.git"), join(root, "tree")] };
    expect(await look(strict, "/a.git")).toBe(join(root, "a.git"));
    expect(await look(strict, "/a")).toMatch(/does not appear to be a git repository/);
    expect(await look(strict, "/tree")).toMatch(/does not appear to be a git repository/);
    expect(await look(strict, "/team/b.git")).toMatch(/not in directory list/);
    expect(await look({ ...options, strictPaths: true }, "/a.git")).toMatch(/not in directory list/);
  });

  it.each([
    "/../a.git",
    "/x/../a.git",
    "//a.git",
    "/./a.git",
    "/a.git/..",
    "/a.git/.",
    "a.git",
    "~/a.git",
    "~../x",
  ])("%s is aliased, whatever is there", async (path) => {
    const options = { basePath: root, basePathRelaxed: true, exportAll: true, userPath: "" };
    expect(await look(options, path)).toBe(`absent: '${path}': aliased`);
  });

  it("takes paths as they are without a base", async () => {
    expect(await look({}, join(root, "a.git"))).toBe(join(root, "a.git"));
    expect(await look({ directories: [root] }, join(outside, "secret.git"))).toMatch(/not in directory list/);
  });

  it("tries without the base if that is relaxed", async () => {
    const path = join(root, "a.git");
    expect(await look({ basePath: outside }, path)).toMatch(/does not appear/);
    expect(await look({ basePath: outside, basePathRelaxed: true }, path)).toBe(path);
    expect(await look({ basePath: outside, basePathRelaxed: true, directories: [outside] }, path)).toMatch(
      /not in directory list/,
    );
  });

  it("serves what is below the directories that are named, not what only begins like one", async () => {
    const options = { basePath: root, directories: [join(root, "team"), join(root, "a")] };
    expect(await look(options, "/team/b.git")).toBe(join(root, "team", "b.git"));
    expect(await look(options, "/a.git")).toMatch(/not in directory list/);
  });

  it("follows no link out of what is served, unless told to", async () => {
    expect(await look({ basePath: root }, "/link.git")).toMatch(/out of what is served/);
    expect(await look({ basePath: root, directories: [root] }, "/link.git")).toMatch(/out of what is served/);
    expect(await look({ basePath: root }, "/inner.git")).toBe(join(root, "inner.git"));
    expect(await look({ basePath: root, followLinks: true }, "/link.git")).toBe(join(root, "link.git"));
    expect(await look({ basePath: root, directories: [root, outside] }, "/link.git")).toBe(
      join(root, "link.git"),
    );
    const linked = join(outside, "linked");
    symlinkSync(root, linked);
    expect(await look({ basePath: linked, directories: [linked] }, "/a.git")).toBe(join(linked, "a.git"));
    rmSync(linked);
  });

  it("has a place for each host", async () => {
    const options = { interpolatedPath: `${root}/%H%D`, basePath: root };
    expect(await look(options, "/v", "Host.EXAMPLE")).toBe(join(root, "host.example", "v.git"));
    expect(await look(options, "/v", "other")).toMatch(/does not appear/);
    // Where no host is named, the base counts, as in C git; without one there is nothing.
    expect(await look(options, "/a.git")).toBe(join(root, "a.git"));
    expect(await look({ interpolatedPath: `${root}/%H%D` }, join(root, "a.git"))).toMatch(
      /no host was named/,
    );
    expect(await look(options, "/secret.git", `../../${outside.split("/").at(-1)}`)).toMatch(
      /does not appear/,
    );
  });

  it("asks what the system knows of a host", async () => {
    const options = {
      interpolatedPath: `${root}/%CH%D`,
      lookUpHost: async (host: string) => ({ canonicalHost: `${host}.Example`, address: "192.0.2.1" }),
    };
    expect(await look(options, "/v.git", "host")).toBe(join(root, "host.example", "v.git"));
    expect(await look({ ...options, lookUpHost: async () => undefined }, "/a.git", "x")).toBe(
      join(root, "a.git"),
    );
    expect(
      await look({ ...options, interpolatedPath: `${root}/%IP-%P%D` }, "/v.git", "host", 9418),
    ).toContain("192.0.2.1-9418/v.git");
  });

  it("serves users' directories when told to", async () => {
    const { username, homedir } = userInfo();
    const name = `exported-${process.pid}`;
    await bare(join(homedir, name, "u.git"));
    try {
      const path = `~${username}/u`;
      expect(await look({ basePath: root }, path)).toMatch(/User-path not allowed/);
      expect(await look({ userPath: name }, path)).toBe(join(homedir, name, "u.git"));
      expect(await look({ userPath: "" }, `~${username}/${name}/u`)).toBe(join(homedir, name, "u.git"));
      expect(await look({ userPath: name, directories: [`~${username}/${name}`] }, path)).toBe(
        join(homedir, name, "u.git"),
      );
      expect(await look({ userPath: name, directories: [root] }, path)).toMatch(/not in directory list/);
      expect(await look({ userPath: name }, "~nobody-of-that-name/u")).toMatch(/does not appear/);
      symlinkSync(join(outside, "secret.git"), join(homedir, name, "s.git"));
      expect(await look({ userPath: name }, `~${username}/s`)).toMatch(/out of what is served/);
    } finally {
      rmSync(join(homedir, name), { recursive: true });
    }
  });

  it("finds nothing at a path that is too long or cannot be", async () => {
    expect(await look({ basePath: root }, `/${"x".repeat(5000)}`)).toMatch(/too long/);
    expect(await look({ basePath: root }, `/${"x".repeat(300)}`)).toMatch(/^absent/);
    expect(await look({ basePath: root }, "/a.git/HEAD")).toMatch(/^absent/);
    expect(await look({ basePath: root }, "/a\n")).toMatch(/aliased/);
  });
});
