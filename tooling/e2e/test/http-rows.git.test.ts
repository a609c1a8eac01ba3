import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { createTestRepository, git, makeCertificate, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packet, parseAnswer } from "./raw-client.ts";
import { type Server, startCommand } from "./server.ts";

/** What stands in no file and may not be kept. */
const NO_CACHE = [
  "expires: fri, 01 jan 1980 00:00:00 gmt",
  "pragma: no-cache",
  "cache-control: no-cache, max-age=0, must-revalidate",
];
const UP = "git-upload-pack";
const RP = "git-receive-pack";
const UA = "git-upload-archive";
const type = (service: string) => `Content-Type: application/x-${service}-request`;

/** The head of a request, its lines as they are. */
const head = (line: string, lines: readonly string[] = [], version = "1.1") =>
  `${[`${line} HTTP/${version}`, "Host: h", "Connection: close", ...lines].join("\r\n")}\r\n\r\n`;
const get = (target: string, ...lines: string[]) => head(`GET ${target}`, lines);
const post = (target: string, lines: readonly string[], body = "0000", version = "1.1") =>
  head(`POST ${target}`, [...lines, `Content-Length: ${body.length}`], version) + body;

let server: Server;
let port = 0;
let securePort = 0;
let root = "";
const tips = new Map<string, string>();

beforeAll(async () => {
  root = temporaryDirectory("root");
  for (const objectFormat of ["sha1", "sha256"] as const) {
    const source = await createTestRepository({ objectFormat });
    tips.set(objectFormat, await source.commit("one", { file: "1\n" }));
    await source.git("tag", "-a", "-m", "t", "v1");
    const clone = async (name: string, ...settings: (readonly [string, string])[]) => {
      const directory = `${root}/${objectFormat}${name}.git`;
      await git(["clone", "-q", "--bare", source.directory, directory]);
      for (const [key, value] of settings) await git(["config", key, value], { cwd: directory });
      return directory;
    };
    const plain = await clone("");
    await git(["repack", "-adq"], { cwd: plain });
    writeFileSync(`${plain}/objects/info/http-alternates`, "/other.git/objects\n");
    await clone("-no-fetch", ["http.uploadpack", "false"]);
    await clone("-no-push", ["http.receivepack", "false"]);
    await clone("-no-files", ["http.getanyfile", "false"]);
    await clone("-no-archive", ["http.uploadarchive", "false"]);
    await clone("-buffer", ["http.maxRequestBuffer", "1k"]);
    const detached = await clone("-detached");
    await git(["update-ref", "--no-deref", "HEAD", tips.get(objectFormat) as string], { cwd: detached });
  }
  const tls = makeCertificate("localhost");
  const files = temporaryDirectory("tls");
  for (const [name, text] of Object.entries(tls)) writeFileSync(`${files}/${name}`, text);
  const flags = ["--http-port", "0", "--https-port", "0", "--git-port", "off", "--dumb-http"];
  const services = ["--enable", "upload-archive", "--enable", "receive-pack"];
  const certificate = ["--tls-certificate", `${files}/certificate`, "--tls-key", `${files}/key`];
  server = await startCommand([root, ...flags, ...services, ...certificate], root);
  port = Number(new URL(server.http).port);
  securePort = Number(/https:\/\/[^:/]+:(\d+)/.exec(server.greeting)?.[1]);
}, 60_000);

afterAll(() => server.end("SIGKILL"));

/** Sends bytes as they are; gives all that came back when the connection is closed. */
function exchange(scheme: string, text: string, half = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket =
      scheme === "http"
        ? connect(port, "127.0.0.1")
        : connectTls({ port: securePort, host: "127.0.0.1", rejectUnauthorized: false });
    let received = "";
    const timer = setTimeout(() => reject(new Error(`no end: ${received}`)), 10_000);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
    });
    socket.once("close", () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    });
    socket.write(Buffer.from(text, "latin1"));
    if (half) socket.end();
  });
}

interface Row {
  readonly status: number;
  /** The whole of a body, or what it looks like. */
  readonly body?: string | RegExp;
  /** Lines of the head, in small letters. */
  readonly has?: readonly string[];
  readonly lacks?: RegExp;
}

const refused = (status: number, ...has: string[]): Row => ({
  status,
  has: [...NO_CACHE, "content-type: text/plain; charset=utf-8", "x-content-type-options: nosniff", ...has],
  body: /^[ -~]+\n$/,
});
const announced = (service: string, body: RegExp): Row => ({
  status: 200,
  has: [...NO_CACHE, `content-type: application/x-${service}-advertisement`],
  body,
});
const answered = (service: string, body: string | RegExp): Row => ({
  status: 200,
  has: [...NO_CACHE, `content-type: application/x-${service}-result`],
  body,
});
const file = (body: string | RegExp, kind = "text/plain"): Row => ({
  status: 200,
  has: [...NO_CACHE, `content-type: ${kind}`, "x-content-type-options: nosniff"],
  body,
});

function expectRow(answer: string, row: Row, name: string): void {
  const { status, head: lines, body } = parseAnswer(answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ""));
  expect([name, status]).toEqual([name, row.status]);
  const all = lines.toLowerCase();
  for (const line of row.has ?? [])
    expect([name, all.split("\r\n")]).toEqual([name, expect.arrayContaining([line])]);
  if (row.lacks !== undefined) expect([name, row.lacks.test(all)]).toEqual([name, false]);
  if (typeof row.body === "string") expect([name, body]).toEqual([name, row.body]);
  else if (row.body !== undefined) expect([name, body]).toEqual([name, expect.stringMatching(row.body)]);
}

describe.each([
  ["http", "sha1"],
  ["https", "sha256"],
] as const)("xgit serve over %s, %s", (scheme, objectFormat) => {
  const r = `/${objectFormat}.git`;
  const refs = (service: string, name = r) => `${name}/info/refs?service=${service}`;
  const id = objectFormat === "sha1" ? 40 : 64;
  const prefix = (service: string) => packet(`# service=${service}\n`).concat("0000");
  const check = async (rows: Readonly<Record<string, Row>>) => {
    for (const [text, row] of Object.entries(rows)) expectRow(await exchange(scheme, text), row, text);
  };

  it("1.12 discovery", async () => {
    const v0 = new RegExp(
      `^${prefix(UP)}[0-9a-f]{4}${tips.get(objectFormat)} HEAD\\0.* object-format=${objectFormat} .*0000$`,
      "s",
    );
    const push = new RegExp(
      `^${prefix(RP)}[0-9a-f]{4}${tips.get(objectFormat)} refs/heads/main\\0.*0000$`,
      "s",
    );
    const v2 = new RegExp(`^000eversion 2\\n.*${packet(`object-format=${objectFormat}\n`)}0000$`, "s");
    await check({
      [get(refs(UP))]: announced(UP, v0),
      [get(refs(UP), "Git-Protocol: version=1")]: announced(UP, new RegExp(`^${prefix(UP)}000eversion 1\\n`)),
      [get(refs(UP), "GIT-PROTOCOL: version=2")]: announced(UP, v2),
      [get(refs(UP), "Git-Protocol: x=y:version=2:version=1")]: announced(UP, v2),
      [get(refs(UP), "Git-Protocol: version=1", "Git-Protocol: version=2")]: announced(UP, v0),
      [get(refs(UP), "Git-Protocol: version=02")]: announced(UP, v0),
      [get(refs(UP), "Accept-Encoding: gzip, br")]: { ...announced(UP, v0), lacks: /content-encoding/ },
      [get(refs(RP))]: announced(RP, push),
      [get(refs(RP), "Git-Protocol: version=2")]: announced(RP, push),
      [head(`HEAD ${refs(UP)}`)]: { ...announced(UP, /^$/), lacks: /www-authenticate/ },
      [head(`HEAD ${refs(UP)}`, ["Git-Protocol: version=2"])]: announced(UP, /^$/),
      [head(`GET ${refs(UP)}`, [], "1.0")]: { ...announced(UP, v0), lacks: /transfer-encoding/ },
    });
  });

  it("1.12 services that are unknown, off or not there", async () => {
    await check({
      [get(refs(UA))]: refused(403),
      [get(refs("git-annotate"))]: refused(403),
      [get(refs("upload-pack"))]: refused(403),
      [get(refs("GIT-UPLOAD-PACK"))]: refused(403),
      [get(refs(""))]: refused(403),
      [get(`${refs(UP)}&service=${UP}`)]: refused(400),
      [get(`${refs(UP)}&service=${RP}`)]: refused(400),
      [get(refs(UP, `/${objectFormat}-no-fetch.git`))]: refused(403),
      [post(`/${objectFormat}-no-fetch.git/${UP}`, [type(UP)])]: refused(403),
      [get(refs(RP, `/${objectFormat}-no-push.git`))]: refused(403),
      [post(`/${objectFormat}-no-push.git/${RP}`, [type(RP)])]: refused(403),
      [post(`/${objectFormat}-no-archive.git/${UA}`, [type(UA)])]: refused(403),
      [get(refs(UP, `/${objectFormat}-no-push.git`))]: announced(UP, /0000$/),
      [get(refs(UP, "/none.git"))]: refused(404),
      [get(refs(RP, "/none.git"))]: refused(404),
      [post(`/none.git/${UP}`, [type(UP)])]: refused(404),
      [post(`/none.git/${RP}`, [type(RP)])]: refused(404),
      [post(`/none.git/${UA}`, [type(UA)])]: refused(404),
      [post(`${r}/git-annotate`, [type("git-annotate")])]: refused(404),
    });
  });

  it("1.12 methods, in either version of HTTP", async () => {
    const rows: Record<string, Row> = {};
    for (const [target, allowed] of [
      [`${r}/${UP}`, "POST"],
      [`${r}/${RP}`, "POST"],
      [`${r}/${UA}`, "POST"],
      [refs(UP), "GET, HEAD"],
      [`${r}/info/refs`, "GET, HEAD"],
      [`${r}/HEAD`, "GET, HEAD"],
      [`${r}/objects/info/packs`, "GET, HEAD"],
      [`${r}/objects/pack/pack-${"a".repeat(id)}.pack`, "GET, HEAD"],
    ] as const)
      for (const method of [
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
        "TRACE",
        allowed === "POST" ? "GET" : "POST",
      ]) {
        rows[head(`${method} ${target}`)] = refused(405, `allow: ${allowed.toLowerCase()}`);
        rows[head(`${method} ${target}`, [], "1.0")] = { ...refused(400), lacks: /\nallow:/ };
      }
    rows[head(`HEAD ${r}/${UP}`)] = { status: 405, has: ["allow: post"], body: "" };
    await check(rows);
    for (const bad of [
      `get ${r}/HEAD HTTP/1.1`,
      `GET ${r}/HEAD HTTP/1.2`,
      "PRI * HTTP/2.0",
      `GET ${r}/HEAD`.repeat(2),
    ])
      expect(await exchange(scheme, `${bad}\r\nHost: h\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await exchange(scheme, `GET ${r}/HEAD HTTP/1.1\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  it("1.12 the probe, empty bodies, and how long a body is", async () => {
    const rows: Record<string, Row> = {};
    for (const service of [UP, RP])
      for (const more of [
        [],
        ["Git-Protocol: version=1"],
        ["Git-Protocol: version=2"],
        ["Expect: 100-continue"],
        ["Content-Encoding: identity"],
      ]) {
        rows[post(`${r}/${service}`, [type(service), ...more])] = answered(service, "");
        rows[post(`${r}/${service}`, [type(service), ...more], "0000", "1.0")] = answered(service, "");
      }
    for (const chunks of ["4\r\n0000\r\n0\r\n\r\n", "1;a=b\r\n0\r\n3\r\n000\r\n0\r\nTrailer: x\r\n\r\n"])
      rows[head(`POST ${r}/${UP}`, [type(UP), "Transfer-Encoding: chunked"]) + chunks] = answered(UP, "");
    const hungUp = packet("ERR the remote end hung up unexpectedly");
    rows[post(`${r}/${UP}`, [type(UP)], "")] = answered(UP, hungUp);
    rows[head(`POST ${r}/${UP}`, [type(UP)])] = answered(UP, hungUp);
    rows[post(`${r}/${UP}`, [type(UP), "Git-Protocol: version=2"], "")] = answered(UP, "");
    rows[post(`${r}/${RP}`, [type(RP)], "")] = answered(RP, "");
    await check(rows);
    for (const lines of [
      ["Content-Length: 4", "Content-Length: 4"],
      ["Content-Length: 4, 4"],
      ["Content-Length: +4"],
      ["Content-Length: "],
      ["Content-Length: 4", "Transfer-Encoding: chunked"],
      ["Transfer-Encoding: gzip"],
      ["Transfer-Encoding: xchunked"],
      ["Transfer-Encoding: chunked, chunked"],
    ]) {
      const answer = await exchange(
        scheme,
        `${head(`POST ${r}/${UP}`, [type(UP), ...lines])}4\r\n0000\r\n0\r\n\r\n`,
      );
      expect([lines, answer]).toEqual([lines, expect.stringMatching(/^HTTP\/1\.1 400 /)]);
    }
    const cut = post(`${r}/${UP}`, [type(UP)], packet(`want ${"1".repeat(id)}\n`)).slice(0, -9);
    expect(await exchange(scheme, cut, true)).toMatch(/^HTTP\/1\.1 400 |^$/);
  });

  it("1.12 content types and codings, doubled or in other letters", async () => {
    const rows: Record<string, Row> = {};
    for (const service of [UP, RP, UA])
      for (const lines of [
        [],
        ["Content-Type: "],
        ["Content-Type: text/plain"],
        [type(service === UP ? RP : UP)],
        [type(service).toUpperCase()],
        [`${type(service)}; charset=utf-8`],
        [`${type(service)}x`],
        [type(service), type(service)],
        [type(UP), type(RP)],
      ])
        rows[post(`${r}/${service}`, lines)] = refused(415);
    for (const coding of ["gzip, gzip", "deflate", "br", "compress", "gzip;q=1"])
      rows[post(`${r}/${UP}`, [type(UP), `Content-Encoding: ${coding}`])] = refused(415);
    rows[post(`${r}/${UP}`, [type(UP), "Content-Encoding: gzip", "Content-Encoding: gzip"])] = refused(415);
    rows[post(`${r}/${UP}`, [type(UP), "Content-Encoding: gzip"])] = refused(400);
    rows[post(`${r}/${UP}`, [`${type(UP)}  `, "Content-Encoding: "])] = answered(UP, "");
    await check(rows);
  });

  it("1.12 errors within a request are packets, and http.maxRequestBuffer is a status", async () => {
    const bad = `want ${"1".repeat(id)}`;
    const wants = packet(`${bad}\n`);
    const long = wants.repeat(40);
    await check({
      [post(`${r}/${UP}`, [type(UP)], `${wants}0000${packet("done\n")}`)]: answered(
        UP,
        packet(`ERR upload-pack: not our ref ${"1".repeat(id)}`),
      ),
      [post(`${r}/${UP}`, [type(UP), "Git-Protocol: version=2"], "0003")]: answered(
        UP,
        packet("ERR protocol error: bad line length 3"),
      ),
      [post(`${r}/${UP}`, [type(UP), "Git-Protocol: version=2"], `${packet("command=x")}0000`)]: answered(
        UP,
        packet("ERR invalid command 'x'"),
      ),
      [post(`/${objectFormat}-buffer.git/${UP}`, [type(UP)], long)]: refused(413),
      [post(`/${objectFormat}-buffer.git/${UP}`, [type(UP)], wants.repeat(2))]: answered(UP, /ERR /),
      // A push is no negotiation.
      [post(`/${objectFormat}-buffer.git/${RP}`, [type(RP)], `0000${" ".repeat(2000)}`)]: answered(RP, ""),
    });
  });

  it("1.10 archives", async () => {
    const words = (...all: string[]) => `${all.map((word) => packet(`argument ${word}\n`)).join("")}0000`;
    const ask = (...all: string[]) => post(`${r}/${UA}`, [type(UA)], words(...all));
    const ACK = "0008ACK\n0000";
    const archive = (beginning: string) => new RegExp(`^${ACK}[0-9a-f]{4}\\x01${beginning}.*0000$`, "s");
    await check({
      [ask("--list")]: answered(UA, `${ACK}${packet("\x01tar\ntgz\ntar.gz\nzip\n")}0000`),
      [ask("main")]: answered(UA, archive("pax_global_header\\0")),
      [ask("--format=zip", "main")]: answered(UA, archive("PK\\x03\\x04")),
      [ask("--format=tgz", "v1")]: answered(UA, archive("\\x1f\\x8b")),
      [ask(tips.get(objectFormat) as string)]: answered(
        UA,
        new RegExp(
          `^${ACK}.*\\x02fatal: no such ref: .*\\x03git upload-archive: archiver died with error$`,
          "s",
        ),
      ),
      [post(`${r}/${UA}`, [type(UA)], packet("argument main\n"))]: answered(
        UA,
        new RegExp(`^${ACK}.*\\x03git upload-archive: archiver died with error$`, "s"),
      ),
      [head(`GET ${r}/${UA}`)]: refused(405, "allow: post"),
    });
  });

  it("1.13 files, and nothing but these", async () => {
    const directory = `${root}${r}`;
    const tip = tips.get(objectFormat) as string;
    const pack = readdirSync(`${directory}/objects/pack`).find((name) => name.endsWith(".pack")) as string;
    const bytes = readFileSync(`${directory}/objects/pack/${pack}`);
    const index = readFileSync(`${directory}/objects/pack/${pack.replace(/pack$/, "idx")}`);
    const loose = `objects/${tip.slice(0, 2)}/${tip.slice(2)}`;
    const looseBytes = readFileSync(`${root}/${objectFormat}-detached.git/${loose}`);
    const tag = await git(["rev-parse", "v1"], { cwd: directory });
    const list = `${tip}\trefs/heads/main\n${tag}\trefs/tags/v1\n${tip}\trefs/tags/v1^{}\n`;
    const forever = (body: Buffer, kind: string): Row => ({
      status: 200,
      has: [
        "cache-control: public, max-age=31536000, immutable",
        `content-type: application/x-git-${kind}`,
        `content-length: ${body.length}`,
        "accept-ranges: bytes",
        "x-content-type-options: nosniff",
      ],
      lacks: /pragma:|no-cache/,
      body: body.toString("latin1"),
    });
    const place = `${r}/objects/pack/${pack}`;
    const etag = /\r\netag: (.*?)\r\n/i.exec(await exchange(scheme, head(`HEAD ${place}`)))?.[1] as string;
    await check({
      [get(`${r}/HEAD`)]: file("ref: refs/heads/main\n"),
      [get(`${r}/%48EAD`)]: file("ref: refs/heads/main\n"),
      [get(`/${objectFormat}-detached.git/HEAD`)]: file(`${tip}\n`),
      [get(`${r}/info/refs`)]: file(list),
      [get(`${r}/info/refs?SERVICE=${UP}`)]: file(list),
      [get(`${r}/objects/info/packs`)]: file(`P ${pack}\n\n`, "text/plain; charset=utf-8"),
      [get(`${r}/objects/info/http-alternates`)]: file("/other.git/objects\n"),
      [get(`${r}/objects/info/alternates`)]: refused(404),
      [head(`HEAD ${r}/HEAD`)]: { ...file(""), has: [...NO_CACHE, "content-length: 21"] },
      [get(place)]: forever(bytes, "packed-objects"),
      [get(place.replace(/pack$/, "idx"))]: forever(index, "packed-objects-toc"),
      [get(`/${objectFormat}-detached.git/${loose}`)]: forever(looseBytes, "loose-object"),
      [head(`HEAD ${place}`)]: { ...forever(bytes, "packed-objects"), body: "" },
      [get(place, "Range: bytes=4-7")]: {
        status: 206,
        has: [`content-range: bytes 4-7/${bytes.length}`],
        body: "\0\0\0\x02",
      },
      [get(place, "Range: bytes=0-3", "Range: bytes=4-7")]: { status: 200, body: bytes.toString("latin1") },
      [get(place, `Range: bytes=${bytes.length}-`)]: {
        status: 416,
        has: [`content-range: bytes */${bytes.length}`],
      },
      [get(place, `If-None-Match: ${etag}`)]: { status: 304, body: "" },
      [get(place, 'If-Range: "other"', "Range: bytes=0-3")]: { status: 200 },
      [head(`GET ${place}`, ["Range: bytes=0-3"], "1.0")]: {
        status: 206,
        body: "PACK",
        lacks: /transfer-encoding/,
      },
      // They are off here, and the others on.
      ...Object.fromEntries(
        ["HEAD", "info/refs", "objects/info/packs", loose].map((name) => [
          get(`/${objectFormat}-no-files.git/${name}`),
          refused(403),
        ]),
      ),
      [get(refs(UP, `/${objectFormat}-no-files.git`))]: announced(UP, /0000$/),
    });
    const names = [
      ...["head", "config", "packed-refs", "description", "refs/heads/main", "hooks/update", "logs/HEAD"],
      ...[
        "info/exclude",
        "objects/info/commit-graph",
        "objects/info/",
        "objects/pack/",
        "git-daemon-export-ok",
      ],
      ...[`objects/pack/${pack.toUpperCase()}`, `objects/pack/pack-${pack.slice(5, -5).toUpperCase()}.pack`],
      ...[pack.replace(/pack$/, "rev"), pack.replace(/pack$/, "keep"), "multi-pack-index"].map(
        (name) => `objects/pack/${name}`,
      ),
      ...[`objects/pack/pack-${"a".repeat(104 - id)}.pack`, `objects/pack/pack-${"a".repeat(id)}.pack`],
      ...[
        loose.toUpperCase().replace("OBJECTS", "objects"),
        `objects/ab/${"c".repeat(102 - id)}`,
        `objects/ab/${"c".repeat(id - 2)}`,
      ],
      ...[
        "objects/info/../../config",
        "objects/info/%2e%2e/%2e%2e/config",
        "objects/info/packs/",
        "HEAD/",
        "HEAD%00",
        "%2fHEAD",
      ],
    ];
    await check(Object.fromEntries(names.map((name) => [get(`${r}/${name}`), refused(404)])));
  });

  it("a connection goes on behind each of them", async () => {
    const more = (text: string) => text.replace("Connection: close\r\n", "");
    const all = [
      more(get(`${r}/HEAD`)),
      more(post(`${r}/${UP}`, [type(UP)])),
      more(get(`${r}/config`)),
      more(head(`PUT ${r}/HEAD`)),
      more(post(`${r}/${RP}`, ["Content-Type: x"])),
      get(`${r}/HEAD`),
    ];
    const answer = await exchange(scheme, all.join(""));
    expect([...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)).toEqual([
      "200",
      "200",
      "404",
      "405",
      "415",
      "200",
    ]);
  });

  it("stock git clones, fetches and pushes, in every version", async () => {
    const url = `${scheme}://127.0.0.1:${scheme === "http" ? port : securePort}${r}`;
    for (const version of ["0", "1", "2"]) {
      const directory = `${temporaryDirectory("clone")}/c`;
      mkdirSync(directory);
      const run = (...args: string[]) =>
        git(["-c", "http.sslVerify=false", "-c", `protocol.version=${version}`, ...args], { cwd: directory });
      await run("clone", "-q", url, directory);
      await run("commit", "-q", "--allow-empty", "-m", "more");
      await run("push", "-q", "origin", `HEAD:refs/heads/of-${version}`);
      await run("fetch", "-q", "origin");
      expect(await run("rev-parse", `origin/of-${version}`)).toBe(await run("rev-parse", "HEAD"));
    }
    expect((await tryGit(["fsck", "--strict"], { cwd: `${root}${r}` })).status).toBe(0);
  }, 60_000);
});

describe("1.15 xgit serve with users", () => {
  const PASSWORD = createHash("sha256").update("a-token-of-ada-0123456789").digest("hex");
  let guarded: Server;
  const ask = async (lines: readonly string[], target = `/sha1.git/info/refs?service=${RP}`) => {
    const { hostname, port: guardedPort } = new URL(guarded.http);
    return new Promise<string>((resolve) => {
      const socket = connect(Number(guardedPort), hostname);
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
      });
      socket.once("close", () => resolve(text));
      socket.write(get(target, ...lines));
    });
  };

  beforeAll(async () => {
    const users = `${temporaryDirectory("users")}/users`;
    writeFileSync(users, `ada:$sha256$${PASSWORD}\n`);
    const access = `${temporaryDirectory("access")}/access`;
    writeFileSync(access, "repo **\n  read anyone\n  write ada\n");
    const flags = [
      "--http-port",
      "0",
      "--git-port",
      "off",
      "--dumb-http",
      "--users",
      users,
      "--access",
      access,
    ];
    guarded = await startCommand([root, ...flags], root);
  });
  afterAll(() => guarded.end("SIGKILL"));

  it.each<[string, readonly string[], number]>([
    ["nobody", [], 401],
    ["a token", ["Authorization: Bearer a-token-of-ada-0123456789"], 200],
    ["a token, in other letters", ["AUTHORIZATION: bEARER a-token-of-ada-0123456789"], 200],
    ["a wrong token", ["Authorization: Bearer a-token-of-bob-0123456789"], 401],
    ["the same twice", Array<string>(2).fill("Authorization: Bearer a-token-of-ada-0123456789"), 400],
    [
      "a wrong and a right one",
      ["Authorization: Bearer x", "Authorization: Bearer a-token-of-ada-0123456789"],
      400,
    ],
    ["a right one and nobody", ["Authorization: Bearer a-token-of-ada-0123456789", "Authorization: "], 400],
    ["what proves nothing", ["Authorization: Negotiate YII="], 401],
    [
      "a proxy's header",
      ["X-Forwarded-User: ada", "Remote-User: ada", "Proxy-Authorization: Bearer a-token-of-ada-0123456789"],
      401,
    ],
  ])("to %s", async (_, lines, status) => {
    for (const version of [[], ["Git-Protocol: version=2"]]) {
      const answer = await ask([...lines, ...version]);
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(/\r\nwww-authenticate: Basic realm="/i.test(answer)).toBe(status === 401);
    }
  });
});
