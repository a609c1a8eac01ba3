import { describe, expect, it } from "vitest";
import { fixedPartOf, interpolatePath, sanitizeHost } from "../src/repository/interpolate-path.ts";

const values = {
  host: "git.example",
  port: "9418",
  directory: "/a/b.git",
  lookUp: async () => ({ canonicalHost: "Real.Example.", address: "192.0.2.1" }),
};

describe("interpolatePath", () => {
  it.each([
    ["/srv/%H%D", "/srv/git.example/a/b.git"],
    ["/srv/%CH/%IP/%P%D", "/srv/real.example/192.0.2.1/9418/a/b.git"],
    ["/srv/100%%%D", "/srv/100%/a/b.git"],
    ["/srv/%X/%", "/srv/%X/%"],
    ["/srv", "/srv"],
  ])("fills in %s", async (pattern, path) => {
    expect(await interpolatePath(pattern, values)).toBe(path);
  });

  it("does not fill in what was filled in", async () => {
    expect(await interpolatePath("/%D", { ...values, directory: "/%H%%" })).toBe("//%H%%");
  });

  it("asks nobody about a host that does not matter", async () => {
    const lookUp = () => Promise.reject(new Error("asked"));
    expect(await interpolatePath("/%H%D", { ...values, lookUp })).toBe("/git.example/a/b.git");
  });
});

describe("sanitizeHost", () => {
  it.each([
    ["Git.Example", "git.example"],
    ["..", ""],
    ["../../etc", "etc"],
    ["a/../b", "a.b"],
    [".hidden.", "hidden"],
    ["a...b", "a.b"],
    ["[::1]", "::1"],
    ["a\\..\\b", "a.b"],
  ])("%s becomes %s", (host, sanitized) => {
    expect(sanitizeHost(host)).toBe(sanitized);
  });
});

describe("fixedPartOf", () => {
  it.each([
    ["/srv/git/%H%D", "/srv/git"],
    ["/srv/git-%H%D", "/srv"],
    ["/%H%D", "/"],
    ["%D", "/"],
  ])("of %s is %s", (pattern, fixed) => {
    expect(fixedPartOf(pattern)).toBe(fixed);
  });
});
