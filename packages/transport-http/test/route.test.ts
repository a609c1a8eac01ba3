import { describe, expect, it } from "vitest";
import { parseRoute, type Route } from "../src/index.ts";

const QUERY = "?service=git-upload-pack";

describe("parseRoute", () => {
  it.each<[string, string, Route]>([
    [
      "GET",
      "/a.git/info/refs?service=git-upload-pack",
      { kind: "advertise", service: "git-upload-pack", repository: "/a.git", head: false },
    ],
    [
      "HEAD",
      "/a/b/c/info/refs?x=1&service=git-receive-pack&y",
      { kind: "advertise", service: "git-receive-pack", repository: "/a/b/c", head: true },
    ],
    ["POST", "/a.git/git-upload-pack", { kind: "rpc", service: "git-upload-pack", repository: "/a.git" }],
    [
      "POST",
      "/a.git/git-receive-pack?service=x&service=y",
      { kind: "rpc", service: "git-receive-pack", repository: "/a.git" },
    ],
    ["POST", "/git-upload-pack", { kind: "rpc", service: "git-upload-pack", repository: "/" }],
    [
      "POST",
      "http://host:80/a/git-upload-pack",
      { kind: "rpc", service: "git-upload-pack", repository: "/a" },
    ],
    ["POST", "/a%20b/git-upload-pack", { kind: "rpc", service: "git-upload-pack", repository: "/a b" }],
    ["POST", "/%C3%A4/git-upload-pack", { kind: "rpc", service: "git-upload-pack", repository: "/ä" }],
    ["POST", "/\u00c3\u00a4/git-upload-pack", { kind: "rpc", service: "git-upload-pack", repository: "/ä" }],
    ["POST", "/a;b/git-upload-pack", { kind: "rpc", service: "git-upload-pack", repository: "/a;b" }],
    ["POST", "/a+b/git-upload-pack", { kind: "rpc", service: "git-upload-pack", repository: "/a+b" }],
    ["POST", "/..a/b../git-upload-pack", { kind: "rpc", service: "git-upload-pack", repository: "/..a/b.." }],
    [
      "POST",
      "/info/refs/git-upload-pack",
      { kind: "rpc", service: "git-upload-pack", repository: "/info/refs" },
    ],
  ])("%s %s", (method, target, route) => {
    expect(parseRoute(method, target)).toEqual(route);
  });

  it("decodes exactly once", () => {
    expect(parseRoute("GET", `/a%252eb/info/refs${QUERY}`)).toMatchObject({ repository: "/a%2eb" });
  });

  it.each([
    "%2e%2e/a",
    "..%2fa",
    "%2E./a",
    "a/%2e/b",
    "a/./b",
    "a/../b",
    "../a",
    "/a",
    "a//b",
    "a/",
    "/host/a",
    "a%2fb",
    "a%5cb",
    "a\\b",
    "a%00b",
    "a%0ab",
    "a%1bb",
    "a%7fb",
    "a%C2%85b",
    "%c0%ae%c0%ae/a",
    "%ff",
    "%ed%a0%80",
    "a%",
    "a%2",
    "a%zz",
    "a%+1",
    "a\u{1f600}",
  ])("P2 finds nothing at /%s", (path) => {
    for (const target of [`/${path}/info/refs${QUERY}`, `/${path}/git-upload-pack`])
      for (const method of ["GET", "POST"])
        expect(parseRoute(method, target)).toMatchObject({ kind: "refused", status: 404 });
  });

  it.each([
    "/",
    "",
    "*",
    "a/git-upload-pack",
    "/a.git",
    "/HEADS",
    "/a.git/config",
    "/a.git/packed-refs",
    "/a.git/description",
    "/a.git/refs/heads/main",
    "/a.git/logs/refs/heads/main",
    "/a.git/hooks/update",
    "/a.git/info/attributes",
    "/a.git/objects/info/commit-graph",
    "/a.git/objects/info",
    "/a.git/objects/pack/multi-pack-index",
    `/a.git/objects/pack/pack-${"a".repeat(40)}.keep`,
    `/a.git/objects/pack/pack-${"a".repeat(39)}.pack`,
    `/a.git/objects/pack/pack-${"A".repeat(40)}.pack`,
    `/a.git/objects/pack/pack-${"a".repeat(64)}.idx.x`,
    `/a.git/objects/ab/${"c".repeat(37)}`,
    `/a.git/objects/AB/${"c".repeat(38)}`,
    `/a.git/objects/abc/${"c".repeat(38)}`,
    `/a.git/objects/ab%2f${"c".repeat(38)}`,
    `/a.git/objects/ab/cd/${"c".repeat(36)}`,
    "/a.git/info/refs/",
    "/a.git/git-upload-pack/",
    "/a.git/git-upload-packs",
    "/a.git/git-upload%2dpack%20",
    "//evil/a/git-upload-pack",
    "ftp://h/a/git-upload-pack",
  ])("finds nothing at %j", (target) => {
    expect(parseRoute("GET", target)).toMatchObject({ kind: "refused", status: 404 });
  });

  it.each([
    ["POST", `/a/info/refs${QUERY}`, "GET, HEAD"],
    ["PUT", `/a/info/refs${QUERY}`, "GET, HEAD"],
    ["get", `/a/info/refs${QUERY}`, "GET, HEAD"],
    ["GET", "/a/git-upload-pack", "POST"],
    ["HEAD", "/a/git-receive-pack", "POST"],
    ["OPTIONS", "/a/git-upload-pack", "POST"],
  ])("%s %s is the wrong method", (method, target, allow) => {
    expect(parseRoute(method, target)).toMatchObject({ kind: "refused", status: 405, allow });
  });

  it.each<[string, 400 | 403]>([
    ["?service", 403],
    ["?service=", 403],
    ["?service=git-upload-archive", 403],
    ["?service=upload-pack", 403],
    ["?service=git-upload-pack%00", 403],
    ["?service=git-upload-pack&service=git-upload-pack", 400],
    ["?service=git-upload-pack&service=git-receive-pack", 400],
    ["?service=git-upload-pack&%73ervice=git-receive-pack", 400],
    ["?service=git-upload-pack&x=%zz", 400],
  ])("info/refs%s is %i", (query, status) => {
    expect(parseRoute("GET", `/a/info/refs${query}`)).toMatchObject({ kind: "refused", status });
  });

  it("reads an encoded service name as what it is", () => {
    expect(parseRoute("GET", "/a/info/refs?service=git%2Dreceive%2Dpack")).toMatchObject({
      service: "git-receive-pack",
    });
  });

  it("finds all three services", () => {
    for (const service of ["git-upload-pack", "git-receive-pack", "git-upload-archive"])
      expect(parseRoute("POST", `/a/${service}`)).toEqual({ kind: "rpc", service, repository: "/a" });
  });

  it.each<[string, string, object]>([
    ["GET", "/a/info/refs", { kind: "info-refs" }],
    ["GET", "/a/info/refs?", { kind: "info-refs" }],
    ["GET", "/a/info/refs?Service=git-upload-pack", { kind: "info-refs" }],
    ["HEAD", "/a/HEAD", { kind: "head" }],
    ["GET", "/a/objects/info/packs", { kind: "packs" }],
    ["GET", "/a/objects/info/alternates", { kind: "alternates" }],
    ["GET", "/a/objects/info/http-alternates", { kind: "http-alternates" }],
    ["GET", `/a/objects/ab/${"c".repeat(38)}`, { kind: "loose-object", id: `ab${"c".repeat(38)}` }],
    ["GET", `/a/objects/ab/${"c".repeat(62)}?x=y`, { kind: "loose-object", id: `ab${"c".repeat(62)}` }],
    ["GET", `/a/objects/pack/pack-${"d".repeat(40)}.pack`, { kind: "pack", checksum: "d".repeat(40) }],
    ["HEAD", `/a/objects/pack/pack-${"0".repeat(64)}.idx`, { kind: "pack-index", checksum: "0".repeat(64) }],
  ])("%s %s is a file", (method, target, file) => {
    expect(parseRoute(method, target)).toEqual({
      kind: "file",
      file,
      repository: "/a",
      head: method === "HEAD",
    });
    expect(parseRoute("POST", target)).toMatchObject({ status: 405, allow: "GET, HEAD" });
  });

  it.each([
    ["/git/a/git-upload-pack", "/git", "/a"],
    ["/git/a/git-upload-pack", "git/", "/a"],
    ["/x%20y/z/a/git-upload-pack", "/x y/z", "/a"],
  ])("%s below %s is %s", (target, base, repository) => {
    expect(parseRoute("POST", target, base)).toMatchObject({ repository });
  });

  it.each(["/a/git-upload-pack", "/gita/git-upload-pack", "/git", "/git/../git-upload-pack"])(
    "%s is not below /git",
    (target) => {
      expect(parseRoute("POST", target, "/git")).toMatchObject({ status: 404 });
    },
  );
});
