import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  basic,
  type Guarded,
  guardedRoot,
  PASSWORDS,
  type RawRequest,
  rawRequest,
  serveGuarded,
  TOKEN,
  type User,
} from "./auth-rig.ts";

let root = "";
let server: Guarded;
beforeAll(async () => {
  root = await guardedRoot();
  server = await serveGuarded(root);
});
afterAll(() => server.close());

/** How a user's git is told the password: by a credential helper, which is asked once a server has asked. */
function helper(user: User, password: string = PASSWORDS[user]): string[] {
  const script = join(temporaryDirectory("helper"), "helper");
  writeFileSync(
    script,
    `#!/bin/sh\n[ "$1" = get ] && printf 'username=%s\\npassword=%s\\n' '${user}' '${password}'\n`,
  );
  chmodSync(script, 0o755);
  return ["-c", `credential.helper=${script}`];
}

const as = (user: User, ...args: string[]) => tryGit([...helper(user), ...args]);
const bearer = ["-c", `http.extraHeader=Authorization: Bearer ${TOKEN}`];

describe("git, with a password", () => {
  it("needs none for what everybody may read", async () => {
    await git(["clone", "-q", `${server.url}/public.git`, temporaryDirectory("c")]);
    const pushed = await tryGit(["push", `${server.url}/public.git`, "main:x"], {
      cwd: join(root, "public.git"),
    });
    expect(pushed.stderr).toContain("could not read Username");
  });

  it("is asked for one where there is something to hide, whether or not it is there", async () => {
    for (const name of ["private.git", "missing.git"]) {
      const { status, stderr } = await tryGit(["ls-remote", `${server.url}/${name}`]);
      expect(status).toBe(128);
      expect(stderr).toContain("could not read Username");
    }
  });

  it("reads and writes where it may", async () => {
    const url = `${server.url}/private.git`;
    const clone = temporaryDirectory("c");
    await git([...helper("bob"), "clone", "-q", url, clone]);
    await git(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: clone });
    const push = (options: readonly string[], branch: string) =>
      tryGit([...options, "push", "-q", url, `HEAD:refs/heads/${branch}`], { cwd: clone });
    expect(await push(helper("ada"), "ada")).toMatchObject({ status: 0 });
    expect(await push(bearer, "ci")).toMatchObject({ status: 0 });
    // A push that is sent in pieces asks first, with an empty request.
    const pieces = ["-c", "http.postBuffer=1000", ...helper("ada")];
    expect(await push(pieces, "ada-too")).toMatchObject({ status: 0 });
    const bobs = await push(helper("bob"), "bob");
    expect(bobs.status).not.toBe(0);
    expect(bobs.stderr).toContain("403");
    expect(
      await git(["for-each-ref", "--format=%(refname)", "refs/heads"], { cwd: join(root, "private.git") }),
    ).toBe(["ada", "ada-too", "ci", "main"].map((name) => `refs/heads/${name}`).join("\n"));
  });

  it("finds nothing where it may not, as if there were nothing", async () => {
    const says = async (name: string) => {
      const { status, stderr } = await as("eve", "ls-remote", `${server.url}/${name}.git`);
      return [status, stderr.replaceAll(name, "NAME")];
    };
    expect(await says("private")).toEqual(await says("missing"));
    expect((await says("private"))[1]).toContain("not found");
  });

  it("is refused with a wrong one, even where none is needed", async () => {
    const { status, stderr } = await tryGit([
      "-c",
      `http.extraHeader=Authorization: ${basic("ada", "wrong")}`,
      "ls-remote",
      `${server.url}/public.git`,
    ]);
    expect(status).toBe(128);
    expect(stderr).toMatch(/could not read Username|Authentication failed/);
  });
});

const UPLOAD = { "Content-Type": "application/x-git-upload-pack-request" };
const RECEIVE = { "Content-Type": "application/x-git-receive-pack-request" };

/** Every way in which a repository can be asked for. */
const REQUESTS: readonly ((name: string) => RawRequest)[] = [
  (name) => ({ target: `/${name}.git/info/refs?service=git-upload-pack` }),
  (name) => ({
    target: `/${name}/info/refs?service=git-upload-pack`,
    headers: { "Git-Protocol": "version=2" },
  }),
  (name) => ({ target: `/${name}.git/info/refs?service=git-receive-pack` }),
  (name) => ({ method: "HEAD", target: `/${name}.git/info/refs?service=git-upload-pack` }),
  (name) => ({ method: "POST", target: `/${name}.git/git-upload-pack`, headers: UPLOAD, body: "0000" }),
  (name) => ({ method: "POST", target: `/${name}.git/git-receive-pack`, headers: RECEIVE, body: "0000" }),
  (name) => ({ target: `/${name}.git/info/refs` }),
  (name) => ({ target: `/${name}.git/HEAD` }),
  (name) => ({ target: `/${name}.git/objects/info/packs` }),
  (name) => ({ target: `/${name}.git/objects/00/${"0".repeat(38)}` }),
  (name) => ({ target: `/${name}.git/config` }),
  (name) => ({ method: "PUT", target: `/${name}.git/info/refs?service=git-upload-pack` }),
  (name) => ({ target: `/${name}.git/git-upload-pack?service=git-upload-pack` }),
];

describe("whether a private repository is there", () => {
  it.each([
    ["nobody", {}, 401],
    ["somebody without a right", { Authorization: basic("eve") }, 404],
    ["somebody with a wrong password", { Authorization: basic("ada", "wrong") }, 401],
  ])("cannot be told by %s", async (_, credentials, status) => {
    const own = await serveGuarded(root, { maxFailuresPerAddress: 1000, maxFailuresPerUser: 1000 });
    for (const make of REQUESTS) {
      const ask = async (name: string) => {
        const request = make(name);
        const headers = { ...request.headers, ...credentials };
        return rawRequest(own.port, { ...request, headers });
      };
      const missing = await ask("missing");
      expect(await ask("private")).toEqual(missing);
      const { method = "GET", target } = make("x");
      // What is no route of ours, or none for this method, is so for all.
      const routed = !/config$/.test(target) && method !== "PUT" && !/git-upload-pack\?/.test(target);
      if (routed) expect([target, missing.status]).toEqual([target, status]);
      if (missing.status === 401)
        expect(missing.head).toContain('www-authenticate: Basic realm="our code", charset="UTF-8"');
    }
    await own.close();
  });

  it.each([
    ["nobody", {}],
    ["somebody without a right", { Authorization: basic("eve") }],
  ])("cannot be measured by %s", async (_, credentials) => {
    const times: Record<string, number[]> = { missing: [], private: [] };
    for (let i = 0; i < 40; i++)
      for (const [name, list] of Object.entries(times)) {
        const started = performance.now();
        const target = `/${name}.git/info/refs?service=git-upload-pack`;
        await rawRequest(server.port, { target, headers: credentials });
        list.push(performance.now() - started);
      }
    const median = (list: number[] = []) => list.sort((a, b) => a - b)[list.length >> 1] ?? 0;
    expect(Math.abs(median(times.missing) - median(times.private))).toBeLessThan(8);
    expect(median(times.missing)).toBeGreaterThan(15);
  });
});

describe("authorization", () => {
  it.each([
    ["POST", "/private.git/git-upload-pack?service=git-upload-pack", UPLOAD],
    ["POST", "/private.git/git-receive-pack?service=git-upload-pack", RECEIVE],
    ["POST", "/public.git/git-receive-pack?service=git-upload-pack", RECEIVE],
    ["POST", "/public.git/git-receive-pack?go-get=1", RECEIVE],
    ["POST", "/public.git/git-receive-pack", { ...RECEIVE, "X-HTTP-Method-Override": "GET" }],
    ["POST", "/public.git/git-receive-pack", { ...RECEIVE, "X-Original-URL": "/public.git/git-upload-pack" }],
    ["POST", "/public.git/git-receive-pack", { ...RECEIVE, "X-Forwarded-User": "ada", "Remote-User": "ada" }],
    ["POST", `/public.git/git-receive-pack?access_token=${TOKEN}`, RECEIVE],
    ["GET", "/public.git/info/refs?service=git-receive-pack&go-get=1", {}],
    ["GET", "/public.git/info/refs?%73ervice=git-receive-pack", {}],
    ["GET", "/private.git/info/refs?service=git-upload-pack#x", {}, 403],
    ["GET", "/public/../private.git/info/refs?service=git-upload-pack", {}, 404],
    ["GET", "/public.git/info/refs?service=git-upload-pack&service=git-receive-pack", {}, 400],
    ["GET", "/public.git/info/refs?service=git-receive-pack&service=git-upload-pack", {}, 400],
    ["GET", "/private.git/.git/info/refs?service=git-upload-pack", {}],
    ["GET", "/private/info/refs?service=git-upload-pack", {}],
    ["GET", "/private.git%2f/info/refs?service=git-upload-pack", {}, 404],
    ["GET", "/Private.git/info/refs?service=git-upload-pack", {}],
    ["POST", "/public.git/git-upload-packs", UPLOAD, 404],
    ["POST", "/public.git/git-receive-pack/", RECEIVE, 404],
  ] as [string, string, Record<string, string>, number?][])(
    "of %s %s is by route, method and service",
    async (method, target, headers, status = 401) => {
      const answer = await rawRequest(server.port, {
        method,
        target,
        headers,
        body: method === "POST" ? "0000" : "",
      });
      expect(answer.status).toBe(status);
    },
  );

  it("is asked for with every request, on a connection that has shown it before too", async () => {
    const target = "/private.git/git-upload-pack";
    const open = `POST ${target} HTTP/1.1\r\nHost: h\r\nContent-Type: ${UPLOAD["Content-Type"]}\r\nGit-Protocol: version=2\r\n`;
    const answer = await rawRequest(server.port, {
      target: "/private.git/info/refs?service=git-upload-pack",
      headers: { Authorization: basic("ada"), Connection: "keep-alive" },
      body: "",
    }).then((first) => first.status);
    expect(answer).toBe(200);
    const { connect } = await import("node:net");
    const statuses = await new Promise<string[]>((resolve) => {
      const socket = connect(server.port, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        const found = text.match(/^HTTP\/1\.1 \d{3}/gm) ?? [];
        if (found.length === 2) {
          socket.destroy();
          resolve(found.map((line) => line.slice(9)));
        }
      });
      const body = "Content-Length: 4\r\n\r\n0000";
      socket.write(`${open}Authorization: ${basic("ada")}\r\n${body}${open}${body}`);
    });
    expect(statuses).toEqual(["200", "401"]);
  });

  it.each([
    "Basic",
    "Basic !!!",
    `Basic ${Buffer.from("ada").toString("base64")}`,
    "Bearer a b",
    `Basic ${"QUFB".repeat(3000)}`,
  ])("that cannot be read is an error, and never nobody (%#)", async (header) => {
    for (const name of ["public", "private", "missing"]) {
      const target = `/${name}.git/info/refs?service=git-upload-pack`;
      const { status } = await rawRequest(server.port, { target, headers: { Authorization: header } });
      expect(status).toBe(400);
    }
  });
});

describe("failures", () => {
  it("stop an address: 429, with the time to come back, even for the right password", async () => {
    const own = await serveGuarded(root, { maxFailuresPerAddress: 5, failureWindowMs: 30_000 });
    const target = "/private.git/info/refs?service=git-upload-pack";
    const ask = (authorization?: string) =>
      rawRequest(own.port, {
        target,
        headers: authorization === undefined ? {} : { Authorization: authorization },
      });
    const guesses = Array.from({ length: 20 }, (_, i) => ask(basic("ada", `guess ${i}`)));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array<number>(5).fill(401), ...Array<number>(15).fill(429)]);
    const { status, head } = await ask(basic("ada"));
    expect(status).toBe(429);
    expect(Number(/^retry-after: (\d+)/im.exec(head)?.[1])).toBeGreaterThan(20);
    expect((await ask()).status).toBe(401);
    const anonymous = await tryGit(["ls-remote", `${own.url}/public.git`]);
    expect(anonymous.status).toBe(0);
    await own.close();
  });
});

describe("the log", () => {
  it("has who it was, and nothing that lets somebody in", async () => {
    await as("ada", "ls-remote", `${server.url}/private.git`);
    await as("ada", "ls-remote", `${server.url}/missing.git`);
    await tryGit([...helper("ada", "a-wrong-password"), "ls-remote", `${server.url}/private.git`]);
    await tryGit([...bearer, "ls-remote", `${server.url}/private.git`]);
    await rawRequest(server.port, { target: `http://ada:${PASSWORDS.ada}@h/nothing` });
    await rawRequest(server.port, { target: "/x", headers: { Authorization: basic("ada") } });
    const log = server.log();
    expect(log).toContain("user: 'ada'");
    expect(log).toContain("server-core/unauthenticated");
    for (const secret of [PASSWORDS.ada, PASSWORDS.eve, "a-wrong-password", TOKEN, "Basic ", "Bearer "]) {
      expect(log).not.toContain(secret);
      expect(log).not.toContain(Buffer.from(secret).toString("base64").slice(0, 8));
      expect(log).not.toContain(Buffer.from(`ada:${secret}`).toString("base64").slice(0, 12));
    }
  });
});
