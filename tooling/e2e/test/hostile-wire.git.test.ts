import { spawn } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { expectSound, leftoversIn, refsOf } from "./compare.ts";
import { makeRich } from "./fixtures.ts";
import { httpRequest, packet, parseAnswer, RawClient, request } from "./raw-client.ts";
import { BIN, startServer } from "./server.ts";

const root = temporaryDirectory("root");
const repository = `${root}/repo.git`;
await makeRich(repository, "sha1");
await git(["config", "http.receivepack", "true"], { cwd: repository });
await git(["init", "-q", "--bare", `${root}/broken.git`]);
await git(["config", "core.repositoryFormatVersion", "1"], { cwd: `${root}/broken.git` });
await git(["config", "extensions.teleport", "true"], { cwd: `${root}/broken.git` });
const outside = `${temporaryDirectory("outside")}/secret.git`;
await git(["clone", "-q", "--bare", repository, outside]);
symlinkSync(outside, `${root}/link.git`);
symlinkSync(outside.replace(/\/secret.git$/, ""), `${root}/linked`);
const server = await startServer(root);
const before = await refsOf(repository);
const tip = await git(["rev-parse", "main"], { cwd: repository });
const LOST = await git(["commit-tree", "-m", "x", "main^{tree}"], { cwd: repository });
/** Somebody else, who has asked and waits for what comes; served to the end after everything. */
const bystander = new RawClient(server.git).send(request("git-upload-pack", "/repo.git"));
await bystander.until(/0000$/);
const restingFiles = server.openFiles().length;

/** What must hold after anything. */
afterEach(async () => {
  expect(server.alive()).toBe(true);
  expect((await tryGit(["ls-remote", `${server.git}/repo.git`], { timeoutMs: 10_000 })).status).toBe(0);
  expect((await tryGit(["ls-remote", `${server.http}/repo.git`], { timeoutMs: 10_000 })).status).toBe(0);
  expect(leftoversIn(root)).toEqual([]);
  expect(await refsOf(repository)).toEqual(before);
});

afterAll(() => void bystander.socket.destroy());

describe("a compressed request", () => {
  const type = { "Content-Type": "application/x-git-upload-pack-request", "Content-Encoding": "gzip" };

  it.each([100, 20_000, 200_000])("of nonsense, its end late, hurts nobody (%s bytes)", async (length) => {
    const body = gzipSync(`zzzz${"\0".repeat(length)}`);
    const sent = httpRequest("POST", "/repo.git/git-upload-pack", type, body);
    for (let i = 0; i < 30; i++) {
      const client = new RawClient(server.http).send(sent.subarray(0, -9));
      await sleep(i % 10);
      const answer = parseAnswer(await client.send(sent.subarray(-9)).answer());
      expect(answer.body).toContain("ERR protocol error: bad line length character");
    }
  });
});

/** What is wrong with one packet or more, wherever packets are read. */
const FRAMES: [string, string][] = [
  ["F1 an impossible length", "0003"],
  ["F2 letters that are no digits", "zzzz"],
  ["F2 a minus sign", "-001"],
  ["F2 a plus sign", "+0ff"],
  ["F2 a space", " 0ff"],
  ["F2 a prefix", "0x1f"],
  ["F2 a digit that is none", "00g1"],
  ["F3 the longest number", "ffff"],
  ["F3 one above the limit", "fff4"],
  ["F4 a packet that ends early", "fff0want 12345"],
  ["F5 an empty packet", "0004"],
  ["F6 a delimiter", "0001"],
  ["F6 a response end", "0002"],
  ["F8 a NUL in the middle of a name", packet(`want ${tip.slice(0, 20)}\0${tip.slice(20)}\n`)],
  ["no words at all", packet("\n")],
  ["unknown words", packet("gimme everything\n")],
  ["an id that is too short", packet("want abcdef\n")],
  ["an id that is too long", packet(`want ${tip}${tip}\n`)],
  ["an id of letters that are no digits", packet(`want ${"z".repeat(40)}\n`)],
  ["the number of no depth", packet(`want ${tip}\n`) + packet("deepen -5\n")],
  ["a depth beyond counting", packet(`want ${tip}\n`) + packet(`deepen ${"9".repeat(30)}\n`)],
];
const TYPE = { "Content-Type": "application/x-git-upload-pack-request" };
const PUSH_TYPE = { "Content-Type": "application/x-git-receive-pack-request" };

async function post(
  service: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
) {
  const type = service === "git-upload-pack" ? TYPE : PUSH_TYPE;
  const sent = httpRequest("POST", `/repo.git/${service}`, { ...type, ...headers }, body);
  return parseAnswer(await new RawClient(server.http).send(sent).answer());
}

/** Our command on its standard input and output. */
async function stdio(service: string, input: string | Uint8Array, version = 0) {
  const child = spawn(process.execPath, [BIN, service.slice(4), repository], {
    env: { GIT_PROTOCOL: `version=${version}` },
  });
  const output = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.out += chunk.toString("latin1")));
  child.stderr.on("data", (chunk: Buffer) => (output.err += chunk.toString("latin1")));
  child.stdin.on("error", () => {}).end(typeof input === "string" ? Buffer.from(input, "latin1") : input);
  const [status] = (await once(child, "close")) as [number];
  return { status, ...output };
}

describe.each(FRAMES)("%s", (_, frame) => {
  it.each(["git-upload-pack", "git-receive-pack"])("sent to %s after its announcement", async (service) => {
    const client = new RawClient(server.git).send(request(service, "/repo.git"));
    await client.until(/0000$/);
    const announced = client.received.length;
    const answer = (await client.send(frame).finish().answer()).slice(announced);
    expect(answer).toMatch(/^00[0-9a-f]{2}ERR [ -~]+$/);
    const said = await stdio(service, frame);
    expect(said.status).toBe(128);
    expect(said.err).toMatch(/^fatal: [ -~]+\n$/);
  });

  it.each([0, 2])("as a request of v%s", async (version) => {
    const client = new RawClient(server.git).send(request("git-upload-pack", "/repo.git", version));
    await client.until(/0000$/);
    const announced = client.received.length;
    const fetch = version === 2 ? `${packet("command=fetch")}0001` : "";
    expect((await client.send(fetch, frame).finish().answer()).slice(announced)).toMatch(
      /^00[0-9a-f]{2}ERR [ -~]+$/,
    );
    const { status, body } = await post("git-upload-pack", fetch + frame, {
      "Git-Protocol": `version=${version}`,
    });
    expect(status).toBe(200);
    expect(body).toMatch(/^00[0-9a-f]{2}ERR [ -~]+$/);
  });

  it("as the body of a push", async () => {
    const { status, body } = await post("git-receive-pack", frame);
    expect(status).toBe(200);
    expect(body).toMatch(/^00[0-9a-f]{2}ERR [ -~]+$/);
  });
});

describe("wants", () => {
  it.each([
    ["of nobody", "1".repeat(40)],
    ["of zeros", "0".repeat(40)],
    ["of a commit that no ref reaches", LOST],
  ])("%s are refused in every version, on every transport", async (_, id) => {
    const v0 = `${packet(`want ${id} ofs-delta\n`)}0000${packet("done\n")}`;
    const v2 = `${packet("command=fetch")}0001${packet(`want ${id}\n`)}${packet("done\n")}0000`;
    const refusal = packet(`ERR upload-pack: not our ref ${id}`);
    for (const [version, words] of [
      [0, v0],
      [2, v2],
    ] as const) {
      const client = new RawClient(server.git).send(request("git-upload-pack", "/repo.git", version));
      await client.until(/0000$/);
      expect(await client.send(words).answer()).toMatch(new RegExp(`0000${refusal}$`));
      expect((await stdio("git-upload-pack", words, version)).err).toBe(
        `fatal: git upload-pack: not our ref ${id}\n`,
      );
      expect((await post("git-upload-pack", words, { "Git-Protocol": `version=${version}` })).body).toBe(
        refusal,
      );
    }
  });
});

describe("paths", () => {
  const secret = outside.slice(1);
  const up = "../".repeat(root.split("/").length - 1);
  const PATHS: string[] = [
    "/none.git",
    "/../none.git",
    `/${up}${secret}`,
    `/repo.git/../${up}${secret}`,
    `//${secret}`,
    "//repo.git",
    "/./repo.git",
    "/repo.git//objects",
    "/repo.git/objects",
    "/repo.git/.",
    "/sub/../repo.git",
    `${outside}`,
    "~root/repo.git",
    "~/repo.git",
    "repo\\.git",
    "/link.git",
    "/link",
    "/linked/secret.git",
    "/linked/secret",
    "/",
    "",
    `/${"a".repeat(300)}`,
    `/${"a/".repeat(600)}b`,
    "/broken.git/nope",
  ];

  it.each(PATHS)("git:// %s", async (path) => {
    for (const service of ["git-upload-pack", "git-receive-pack"]) {
      const answer = await new RawClient(server.git).send(request(service, path)).finish().answer();
      if (path === "") expect(answer).toMatch(/^00[0-9a-f]{2}ERR [ -~]+$/);
      else expect(answer).toBe(packet(`ERR access denied or repository not exported: ${path.slice(0, 256)}`));
    }
  });

  it("git:// a NUL ends the path, and a line feed is refused", async () => {
    const cut = await new RawClient(server.git)
      .send(packet("git-upload-pack /none\0/../repo.git\0"))
      .answer();
    expect(cut).toMatch(/^00[0-9a-f]{2}ERR [ -~]+$/);
    const ended = await new RawClient(server.git)
      .send(packet("git-upload-pack /none\0host=/repo.git\0"))
      .answer();
    expect(ended).toMatch(/^00[0-9a-f]{2}ERR [ -~]+$/);
    const broken = await new RawClient(server.git).send(packet("git-upload-pack /re\npo.git\0")).answer();
    expect(broken).toMatch(/^00[0-9a-f]{2}ERR [ -~]+$/);
  });

  const TARGETS: string[] = [
    "/none.git",
    `/${up}${secret}`,
    `/%2e%2e/${secret}`,
    `/${"%2e%2e/".repeat(12)}${secret}`,
    `/%2E%2e%2f%2e%2e%2f${secret}`,
    `/repo.git/..%2f..%2f${secret}`,
    `/%252e%252e/${secret}`,
    `//${secret}`,
    `/%2f${secret}`,
    "//repo.git",
    "/./repo.git",
    "/%2e/repo.git",
    "/repo.git/%2e",
    "/repo.git%00",
    "/repo.git%00.git",
    "/repo%5c.git",
    "/repo.git;a",
    "/%c0%ae%c0%ae/repo.git",
    "/%ff.git",
    "/%zz.git",
    "/repo.git%0a",
    "/link.git",
    "/linked/secret.git",
    "/repo.git/objects",
    `/${"a".repeat(300)}`,
  ];
  const parts = (text: string) =>
    text.replace(/^date: .*\r\n/im, "").replace(/^(?:content-length|connection|keep-alive): .*\r\n/gim, "");

  it.each(TARGETS)("http:// %s", async (target) => {
    const ask = async (path: string) => {
      const answers: string[] = [];
      for (const service of ["git-upload-pack", "git-receive-pack"]) {
        const get = httpRequest("GET", `${path}/info/refs?service=${service}`);
        const type = { "Content-Type": `application/x-${service}-request` };
        const send = httpRequest("POST", `${path}/${service}`, type, "0000");
        for (const bytes of [get, send])
          answers.push(parts(await new RawClient(server.http).send(bytes).answer()));
      }
      return answers;
    };
    const answers = await ask(target);
    expect(answers.map((answer) => parseAnswer(answer).status)).toEqual([404, 404, 404, 404]);
    // Missing and forbidden look alike, to the letter. So do all paths that can name nothing.
    const nothing = parseAnswer(answers[0] as string).body === "Not found\n";
    expect(answers).toEqual(await ask(nothing ? "/%2e%2e/none.git" : "/none.git"));
    if (/link|secret.git$/.test(target) && !/%2f|\.\.|\/\/|%2e/i.test(target)) expect(nothing).toBe(false);
  });

  it("a repository with an extension that we do not know is refused by its name", async () => {
    const said = await new RawClient(server.git).send(request("git-upload-pack", "/broken.git")).answer();
    expect(said).toMatch(/^00[0-9a-f]{2}ERR .*unknown repository extension found: teleport$/);
    const { stderr } = await tryGit(["ls-remote", `${server.http}/broken.git`]);
    expect(stderr).toContain("fatal:");
    const stdioSaid = await tryGit([
      "ls-remote",
      `--upload-pack='${process.execPath}' '${BIN}' upload-pack`,
      `file://${root}/broken.git`,
    ]);
    expect(stdioSaid.stderr).toContain("unknown repository extension found: teleport");
  });
});

describe("services that are none", () => {
  it.each(["git-upload-archive", "git-shell", "upload-pack", "git-upload-pack-x", "GIT-UPLOAD-PACK", ""])(
    "git:// %j",
    async (service) => {
      const answer = await new RawClient(server.git).send(request(service, "/repo.git")).finish().answer();
      expect(answer).toMatch(/^00[0-9a-f]{2}ERR [ -~]+$/);
    },
  );

  it.each(["git-upload-archive", "git-shell", "upload-pack", "../config", ""])(
    "http:// %j",
    async (service) => {
      const get = httpRequest("GET", `/repo.git/info/refs?service=${service}`);
      expect([403, 404]).toContain(parseAnswer(await new RawClient(server.http).send(get).answer()).status);
      const type = { "Content-Type": `application/x-${service}-request` };
      const send = httpRequest("POST", `/repo.git/${service}`, type, "0000");
      expect([403, 404, 405]).toContain(
        parseAnswer(await new RawClient(server.http).send(send).answer()).status,
      );
    },
  );

  it.each([
    ["/repo.git/HEAD", 404],
    ["/repo.git/config", 404],
    ["/repo.git/objects/info/packs", 404],
    ["/", 404],
    ["/repo.git", 404],
  ])("http:// GET %s", async (target, status) => {
    expect(
      parseAnswer(await new RawClient(server.http).send(httpRequest("GET", target)).answer()).status,
    ).toBe(status);
  });

  it.each(["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])("http:// %s", async (method) => {
    const send = httpRequest(method, "/repo.git/git-upload-pack", TYPE, "0000");
    expect(parseAnswer(await new RawClient(server.http).send(send).answer()).status).toBeGreaterThanOrEqual(
      400,
    );
  });

  it("http:// bodies of another kind, cut gzip, and bytes that are no HTTP", async () => {
    expect((await post("git-upload-pack", "0000", { "Content-Type": "text/plain" })).status).toBe(415);
    const cut = Buffer.from("1f8b08000000000000ff4bcb", "hex");
    const { status, body } = await post("git-upload-pack", cut, { "Content-Encoding": "gzip" });
    expect([status >= 400, /^00..ERR/.test(body)]).toContain(true);
    expect((await post("git-upload-pack", "0000", { "Content-Encoding": "br" })).status).toBe(415);
    expect(await new RawClient(server.http).send("0032git-upload-pack /repo.git\0\r\n\r\n").answer()).toMatch(
      /^HTTP\/1.1 400 /,
    );
    expect(await new RawClient(server.git).send("GET / HTTP/1.0\r\n\r\n").answer()).toMatch(/^00..ERR /);
  });
});

describe("in the end", () => {
  it("the bystander gets what it asked for, and nothing stays open", async () => {
    await bystander.send(packet(`want ${tip} ofs-delta\n`), "0000", packet("done\n")).answer();
    expect(bystander.received).toMatch(/0008NAK\nPACK/);
    const clone = `${temporaryDirectory("clone")}/c`;
    await git(["clone", "-q", "--mirror", `${server.git}/repo.git`, clone]);
    await expectSound(clone);
    await expect
      .poll(() => server.openFiles().length, { timeout: 30_000 })
      .toBeLessThanOrEqual(restingFiles + 4);
    expect(server.residentBytes()).toBeLessThan(400 * 1024 * 1024);
  });
});
