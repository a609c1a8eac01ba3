import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import { createTestRepository, git, gitEnvironment, temporaryDirectory } from "@tooling/test-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal } from "./terminal.ts";

type Environment = Record<string, string>;

/** What a web server got of the program. */
interface Answer {
  readonly status: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly err: string;
}

const base = (): Environment => ({
  HOME: gitEnvironment().HOME ?? "",
  PATH: process.env.PATH ?? "",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_HTTP_EXPORT_ALL: "1",
  GATEWAY_INTERFACE: "CGI/1.1",
  SERVER_PROTOCOL: "HTTP/1.1",
  REQUEST_METHOD: "GET",
});

function parse(out: string, err: string): Answer {
  const end = out.indexOf("\r\n\r\n");
  const headers: Record<string, string> = {};
  for (const line of out.slice(0, end).split("\r\n")) {
    const colon = line.indexOf(": ");
    headers[line.slice(0, colon)] = line.slice(colon + 2);
  }
  const { Status: status = "200 OK", ...rest } = headers;
  // Neither says who it is in the same words.
  return { status, headers: rest, body: out.slice(end + 4).replace(/agent=\S+/g, "agent=x"), err };
}

async function ours(env: Environment, input: string | Buffer = ""): Promise<Answer> {
  const terminal = new FakeTerminal({ ...base(), ...env });
  terminal.stdin.end(input);
  expect(await main(["http-backend"], terminal)).toBe(0);
  return parse(terminal.out, terminal.err);
}

function gits(env: Environment, input: string | Buffer = ""): Promise<Answer> {
  return new Promise((resolve) => {
    const child = execFile(
      "git",
      ["http-backend"],
      { env: { ...base(), ...env }, encoding: "latin1" },
      (_, out, err) => resolve(parse(out, err)),
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** Headers that both send, in one spelling. */
function comparable({ status, headers, body }: Answer) {
  const {
    Date: _,
    ETag: _tag,
    "Accept-Ranges": _ranges,
    "X-Content-Type-Options": _sniff,
    ...rest
  } = headers as Record<string, string | undefined>;
  const cache = rest["Cache-Control"]?.replace(", immutable", "");
  const soon = (date: string | undefined) => date && Math.round(Date.parse(date) / 60_000);
  const isForever = cache?.startsWith("public");
  return {
    status,
    body,
    ...rest,
    ...(cache !== undefined && { "Cache-Control": cache }),
    ...(isForever && { Expires: soon(rest.Expires) }),
    ...(rest["Last-Modified"] && { "Last-Modified": Date.parse(rest["Last-Modified"]) }),
  };
}

/** What git sends without, we tell not to be kept. */
const NO_CACHE = {
  Expires: "Fri, 01 Jan 1980 00:00:00 GMT",
  Pragma: "no-cache",
  "Cache-Control": "no-cache, max-age=0, must-revalidate",
};

describe.each(["sha1", "sha256"] as const)("xgit http-backend beside git's, %s", (objectFormat) => {
  let root = "";
  let r = "";
  let loose = "";
  let pack = "";
  let tip = "";

  beforeAll(async () => {
    root = temporaryDirectory("cgi");
    r = `${root}/r.git`;
    const source = await createTestRepository({ objectFormat });
    await source.commit("one");
    await source.git("tag", "-a", "-m", "t", "v1");
    await source.git("tag", "-a", "-m", "of a tag", "v2", "v1");
    await git(["clone", "-q", "--mirror", source.directory, r]);
    await git(["repack", "-adq"], { cwd: r });
    pack = readdirSync(`${r}/objects/pack`).find((name) => name.endsWith(".pack")) ?? "";
    tip = await source.commit("two");
    await git(["fetch", "-q", source.directory, "main:other"], { cwd: r });
    await git(["-c", "gc.auto=0", "symbolic-ref", "refs/heads/alias", "refs/heads/main"], { cwd: r });
    await git(["unpack-objects", "-q"], { cwd: r, input: readFileSync(`${r}/objects/pack/${pack}`) });
    loose = `objects/${tip.slice(0, 2)}/${tip.slice(2)}`;
    writeFileSync(`${r}/objects/info/alternates`, "");
    await git(["init", "-q", "--bare", `--object-format=${objectFormat}`, `${root}/empty.git`]);
    await git(["clone", "-q", "--bare", r, `${root}/detached.git`]);
    await git(["update-ref", "--no-deref", "HEAD", tip], { cwd: `${root}/detached.git` });
    await git(["clone", "-q", "--bare", r, `${root}/off.git`]);
    for (const key of ["uploadpack", "receivepack", "getanyfile"])
      await git(["config", `http.${key}`, "false"], { cwd: `${root}/off.git` });
    await git(["clone", "-q", "--bare", r, `${root}/on.git`]);
    await git(["config", "http.receivepack", "true"], { cwd: `${root}/on.git` });
    await git(["clone", "-q", "--bare", r, `${root}/spaces.git`]);
    await git(["update-ref", "refs/namespaces/n/refs/heads/main", tip], { cwd: `${root}/spaces.git` });
    await git(["symbolic-ref", "refs/namespaces/n/HEAD", "refs/namespaces/n/refs/heads/main"], {
      cwd: `${root}/spaces.git`,
    });
  });

  const both = async (env: Environment, input: string | Buffer = "") => {
    const all = { GIT_PROJECT_ROOT: root, ...env };
    return { mine: await ours(all, input), theirs: await gits(all, input) };
  };

  it.each<[string, Environment]>([
    ["upload-pack", {}],
    ["upload-pack", { HTTP_GIT_PROTOCOL: "version=1" }],
    ["upload-pack", { GIT_PROTOCOL: "version=1", HTTP_GIT_PROTOCOL: "version=2" }],
    ["receive-pack", { REMOTE_USER: "ada" }],
    ["receive-pack", { REMOTE_USER: "ada", HTTP_GIT_PROTOCOL: "version=1" }],
    ["receive-pack", {}],
    ["receive-pack", { REMOTE_USER: "" }],
    ["receive-pack", { PATH_INFO: "/on.git/info/refs" }],
    ["upload-pack", { PATH_INFO: "/off.git/info/refs" }],
    ["receive-pack", { PATH_INFO: "/off.git/info/refs", REMOTE_USER: "ada" }],
    ["upload-pack", { PATH_INFO: "/r/info/refs" }],
    ["upload-pack", { PATH_INFO: "/detached.git/info/refs" }],
    ["upload-pack", { PATH_INFO: "/spaces.git/info/refs", GIT_NAMESPACE: "n" }],
    ["upload-pack", { PATH_INFO: "/none.git/info/refs" }],
    ["upload-archive", {}],
    ["annotate", {}],
    ["", {}],
  ])("announces %s with %j", async (service, env) => {
    const { mine, theirs } = await both({
      PATH_INFO: "/r.git/info/refs",
      QUERY_STRING: `service=git-${service}`,
      ...env,
    });
    expect(comparable(mine)).toEqual(comparable(theirs));
  });

  it("announces v2 but for what one git offers and the next one does not", async () => {
    const { mine, theirs } = await both({
      PATH_INFO: "/r.git/info/refs",
      QUERY_STRING: "service=git-upload-pack",
      HTTP_GIT_PROTOCOL: "version=2",
    });
    expect(mine.headers).toEqual(theirs.headers);
    const lines = (body: string) =>
      body
        .split("\n")
        .map((line) => line.slice(4).replace(/=shallow.*/, ""))
        .filter((line) => !line.startsWith("object-info"));
    expect(lines(mine.body)).toEqual(lines(theirs.body));
  });

  it("does as today's git what Debian's has not learned yet", async () => {
    const empty = await ours({
      GIT_PROJECT_ROOT: root,
      PATH_INFO: "/empty.git/info/refs",
      QUERY_STRING: "service=git-upload-pack",
    });
    const zero = "0".repeat(objectFormat === "sha1" ? 40 : 64);
    expect(empty.body).toMatch(
      new RegExp(`^001e# service=git-upload-pack\\n00000\\w{3}${zero} capabilities\\^{}`),
    );
    const archive = { PATH_INFO: "/r.git/git-upload-archive", REQUEST_METHOD: "POST" };
    expect((await ours({ GIT_PROJECT_ROOT: root, ...archive })).status).toBe("415 Unsupported Media Type");
    const CONTENT_TYPE = "application/x-git-upload-archive-request";
    expect((await ours({ GIT_PROJECT_ROOT: root, ...archive, CONTENT_TYPE }, "0000")).status).toBe(
      "403 Forbidden",
    );
  });

  it.each<[string, string, Environment]>([
    ["POST", "git-upload-pack", {}],
    ["POST", "git-upload-pack", { HTTP_GIT_PROTOCOL: "version=2" }],
    ["POST", "git-receive-pack", { REMOTE_USER: "ada" }],
    ["POST", "git-receive-pack", {}],
    ["POST", "git-upload-pack", { PATH_INFO: "/off.git/git-upload-pack" }],
    ["POST", "git-upload-pack", { CONTENT_TYPE: "text/plain" }],
    ["POST", "git-upload-pack", { CONTENT_TYPE: "" }],
    ["POST", "git-upload-pack", { CONTENT_TYPE: "application/x-git-upload-pack-request; charset=x" }],
    ["GET", "git-upload-pack", {}],
    ["GET", "git-upload-pack", { SERVER_PROTOCOL: "HTTP/1.0" }],
    ["PUT", "git-receive-pack", {}],
    ["POST", "info/refs", { QUERY_STRING: "service=git-upload-pack" }],
    ["POST", "HEAD", {}],
    ["DELETE", "objects/info/packs", {}],
    ["POST", "config", {}],
  ])("%s of %s with %j and the probe 0000", async (method, name, env) => {
    const { mine, theirs } = await both(
      {
        PATH_INFO: `/r.git/${name}`,
        REQUEST_METHOD: method,
        CONTENT_TYPE: `application/x-${name}-request`,
        CONTENT_LENGTH: "4",
        ...env,
      },
      "0000 and what is no part of the request",
    );
    expect(comparable(mine)).toEqual(comparable(theirs));
  });

  it.each(["", "gzip", "x-gzip"])("answers a request with encoding %j as git does", async (encoding) => {
    const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
    const text = `${packet("command=ls-refs\n")}${packet(`object-format=${objectFormat}`)}0001${packet("peel\n")}${packet("symrefs\n")}0000`;
    const input = encoding === "" ? Buffer.from(text) : gzipSync(text);
    for (const length of [String(input.length), ""]) {
      const { mine, theirs } = await both(
        {
          PATH_INFO: "/r.git/git-upload-pack",
          REQUEST_METHOD: "POST",
          CONTENT_TYPE: "application/x-git-upload-pack-request",
          CONTENT_LENGTH: length,
          HTTP_GIT_PROTOCOL: "version=2",
          ...(encoding && { HTTP_CONTENT_ENCODING: encoding }),
        },
        input,
      );
      expect(mine.body).toContain("refs/tags/v2");
      expect(comparable(mine)).toEqual(comparable(theirs));
    }
  });

  it.each([
    "HEAD",
    "info/refs",
    "info/refs?x=y",
    "objects/info/packs",
    "objects/info/alternates",
    "objects/info/http-alternates",
    "LOOSE",
    "PACK",
    "IDX",
    "config",
    "refs/heads/main",
    "packed-refs",
    "hooks/update.sample",
    "objects/pack/../../config",
  ])("%s as a file", async (name) => {
    const path = name
      .replace("LOOSE", loose)
      .replace("PACK", `objects/pack/${pack}`)
      .replace("IDX", `objects/pack/${pack.replace(/pack$/, "idx")}`);
    for (const repository of ["r.git", "empty.git", "detached.git", "off.git", "none.git"]) {
      const [PATH_INFO = "", QUERY_STRING = ""] = `/${repository}/${path}`.split("?");
      const { mine, theirs } = await both({ PATH_INFO, QUERY_STRING });
      const expected = comparable(theirs);
      const isHead = name === "HEAD" && theirs.status === "200 OK";
      expect(comparable(mine), repository).toEqual(isHead ? { ...expected, ...NO_CACHE } : expected);
    }
  });

  it("files of a namespace are its own", async () => {
    for (const name of ["HEAD", "info/refs"]) {
      const env = { PATH_INFO: `/spaces.git/${name}`, GIT_NAMESPACE: "n" };
      const { mine, theirs } = await both(env);
      expect(mine.body).toBe(theirs.body);
      expect(mine.body).toContain("refs/heads/main");
    }
  });
});

describe("xgit http-backend", () => {
  let root = "";
  let tip = "";

  beforeAll(async () => {
    root = temporaryDirectory("cgi");
    const source = await createTestRepository();
    tip = await source.commit("one");
    await git(["clone", "-q", "--bare", source.directory, `${root}/r.git`]);
  });

  it("serves what is exported, and what PATH_TRANSLATED leads to", async () => {
    const hidden = { GIT_PROJECT_ROOT: root, PATH_INFO: "/r.git/HEAD" };
    const terminal = new FakeTerminal({ ...base(), ...hidden }, "");
    delete terminal.env.GIT_HTTP_EXPORT_ALL;
    expect(await main(["http-backend"], terminal)).toBe(0);
    expect(terminal.out).toMatch(/^Status: 404 Not Found\r\n/);
    expect(terminal.err).toBe(`Repository not exported: '${root}/r.git'\n`);
    writeFileSync(`${root}/r.git/git-daemon-export-ok`, "");
    const shown = new FakeTerminal({ ...base(), PATH_TRANSLATED: `${root}//r.git/./HEAD` }, "");
    delete shown.env.GIT_HTTP_EXPORT_ALL;
    expect(await main(["http-backend"], shown)).toBe(0);
    expect(shown.out).toMatch(/\r\n\r\nref: refs\/heads\/main\n$/);
    rmSync(`${root}/r.git/git-daemon-export-ok`);
  });

  it("P4 follows nothing out of GIT_PROJECT_ROOT, unless XGIT_FOLLOW_LINKS says so", async () => {
    const project = temporaryDirectory("project");
    const secret = `${root}/r.git`;
    symlinkSync(secret, `${project}/link.git`);
    mkdirSync(`${project}/pointer`);
    writeFileSync(`${project}/pointer/.git`, `gitdir: ${secret}\n`);
    await git(["clone", "-q", "--bare", "--shared", secret, `${project}/borrowing.git`]);
    await git(["clone", "-q", "--bare", secret, `${project}/inside.git`]);
    symlinkSync("inside.git", `${project}/alias.git`);
    symlinkSync(project, `${root}/project`);
    const status = async (name: string, more: Environment = {}) =>
      (await ours({ GIT_PROJECT_ROOT: project, PATH_INFO: `/${name}/HEAD`, ...more })).status;
    for (const name of ["link.git", "pointer", "borrowing.git"]) {
      expect([name, await status(name)]).toEqual([name, "404 Not Found"]);
      expect([name, await status(name, { XGIT_FOLLOW_LINKS: "1" })]).toEqual([name, "200 OK"]);
      // Without a root, the web server has said where.
      const translated = { GIT_PROJECT_ROOT: "", PATH_TRANSLATED: `${project}/${name}/HEAD` };
      expect([name, await status(name, translated)]).toEqual([name, "200 OK"]);
    }
    for (const name of ["inside.git", "inside", "alias.git"])
      for (const place of [project, `${root}/project`, `${project}/`])
        expect([name, place, await status(name, { GIT_PROJECT_ROOT: place })]).toEqual([
          name,
          place,
          "200 OK",
        ]);
  });

  it.each<[string, Environment]>([
    ["no method", { REQUEST_METHOD: "" }],
    ["no place", {}],
    ["a root alone", { GIT_PROJECT_ROOT: "/" }],
    ["an alias", { GIT_PROJECT_ROOT: "/srv", PATH_INFO: "/repo.git/../HEAD" }],
    ["another", { GIT_PROJECT_ROOT: "/srv", PATH_INFO: "/etc//passwd" }],
    ["a third", { GIT_PROJECT_ROOT: "/srv", PATH_INFO: "/etc/./passwd" }],
    ["one at the end", { GIT_PROJECT_ROOT: "/srv", PATH_INFO: "/etc/.." }],
    ["a host", { GIT_PROJECT_ROOT: "/srv", PATH_INFO: "//domain/data.txt" }],
    ["a path from nowhere", { GIT_PROJECT_ROOT: "/srv", PATH_INFO: "../etc/passwd" }],
  ])("is 500 for %s, in git's words", async (_, env) => {
    const [mine, theirs] = [await ours(env), await gits(env)];
    expect([mine.status, mine.headers, mine.body]).toEqual([theirs.status, theirs.headers, theirs.body]);
    expect(theirs.status).toBe("500 Internal Server Error");
    if (env.REQUEST_METHOD === undefined) expect(mine.err).toBe(theirs.err);
  });

  it("names who pushed, to hooks and in reflogs", async () => {
    const r = `${root}/pushed.git`;
    await git(["clone", "-q", "--bare", `${root}/r.git`, r]);
    await git(["config", "core.logAllRefUpdates", "true"], { cwd: r });
    mkdirSync(`${r}/hooks`, { recursive: true });
    writeFileSync(
      `${r}/hooks/post-receive`,
      `#!/bin/sh\necho "$GIT_COMMITTER_NAME <$GIT_COMMITTER_EMAIL> $REMOTE_USER" >${r}/who\n`,
      { mode: 0o755 },
    );
    const line = `${"0".repeat(40)} ${tip} refs/heads/new\0report-status`;
    const body = `${(line.length + 4).toString(16).padStart(4, "0")}${line}0000`;
    const pack = await git(["pack-objects", "--stdout", "-q"], { cwd: r, input: "" });
    const answer = await ours(
      {
        GIT_PROJECT_ROOT: root,
        PATH_INFO: "/pushed.git/git-receive-pack",
        REQUEST_METHOD: "POST",
        CONTENT_TYPE: "application/x-git-receive-pack-request",
        REMOTE_USER: "ada",
        REMOTE_ADDR: "192.0.2.1",
      },
      Buffer.concat([Buffer.from(body, "latin1"), Buffer.from(pack, "latin1")]),
    );
    expect([answer.status, answer.body]).toEqual(["200 OK", "000eunpack ok\n0016ok refs/heads/new\n0000"]);
    expect(readFileSync(`${r}/who`, "utf8")).toBe("ada <ada@http.192.0.2.1> ada\n");
    expect(readFileSync(`${r}/logs/refs/heads/new`, "utf8")).toContain(" ada <ada@http.192.0.2.1> ");
    expect(existsSync(`${r}/refs/heads/new`)).toBe(true);
  });

  it("bounds requests to fetch as the environment, or the repository, says", async () => {
    const request = {
      GIT_PROJECT_ROOT: root,
      PATH_INFO: "/r.git/git-upload-pack",
      REQUEST_METHOD: "POST",
      CONTENT_TYPE: "application/x-git-upload-pack-request",
    };
    const body = "0032want 1234567890123456789012345678901234567890\n".repeat(1000);
    const settings = {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "http.maxRequestBuffer",
      GIT_CONFIG_VALUE_0: "1k",
    };
    expect((await ours({ ...request, ...settings }, body)).status).toBe("413 Content Too Large");
    const env = { ...request, ...settings, GIT_HTTP_MAX_REQUEST_BUFFER: "1m" };
    expect((await ours(env, body)).status).toBe("200 OK");
    expect((await ours({ ...env, CONTENT_LENGTH: "2000000" }, body)).status).toBe("413 Content Too Large");
  });

  it("hides refs that are hidden, which git does not", async () => {
    const r = `${root}/hiding.git`;
    await git(["clone", "-q", "--bare", `${root}/r.git`, r]);
    await git(["update-ref", "refs/secret/x", tip], { cwd: r });
    await git(["config", "transfer.hideRefs", "refs/secret"], { cwd: r });
    const env = { GIT_PROJECT_ROOT: root, PATH_INFO: "/hiding.git/info/refs" };
    expect((await gits(env)).body).toContain("secret");
    expect((await ours(env)).body).toBe(`${tip}\trefs/heads/main\n`);
  });

  it("takes no arguments, and says so", async () => {
    const terminal = new FakeTerminal({});
    expect(await main(["http-backend", "x"], terminal)).toBe(129);
    const help = new FakeTerminal({});
    expect(await main(["http-backend", "--help"], help)).toBe(0);
    expect(help.out).toContain("GIT_PROJECT_ROOT");
  });
});

describe("xgit update-server-info", () => {
  it.each(["sha1", "sha256"] as const)("writes what git writes, %s", async (objectFormat) => {
    const source = await createTestRepository({ objectFormat });
    await source.commit("one");
    await source.git("tag", "-a", "-m", "t", "v1");
    await source.git("repack", "-adq");
    const read = () =>
      ["info/refs", "objects/info/packs"].map((name) =>
        readFileSync(`${source.gitDirectory}/${name}`, "latin1"),
      );
    await source.git("update-server-info");
    const expected = read();
    for (const name of ["info/refs", "objects/info/packs"]) rmSync(`${source.gitDirectory}/${name}`);
    mkdirSync(`${source.directory}/below/it`, { recursive: true });
    const terminal = new FakeTerminal(base());
    expect(await main(["update-server-info", "-f", `${source.directory}/below/it`], terminal)).toBe(0);
    expect([terminal.out, terminal.err, read()]).toEqual(["", "", expected]);
  });

  it("says when there is no repository", async () => {
    const terminal = new FakeTerminal(base());
    expect(await main(["update-server-info", temporaryDirectory("none")], terminal)).toBe(128);
    expect(terminal.err).toContain("fatal: not a git repository");
  });
});
