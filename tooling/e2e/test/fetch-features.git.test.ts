import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { afterAll, describe, expect, it } from "vitest";
import { expectSound, objectsOf, reachableIn } from "./compare.ts";
import { copyRepository, makeRich } from "./fixtures.ts";
import { packet, RawClient, request } from "./raw-client.ts";
import { startServer } from "./server.ts";
import { FORMATS, TRANSPORTS, wayTo } from "./way.ts";

const root = temporaryDirectory("root");
for (const format of FORMATS) await makeRich(`${root}/${format}.git`, format);
const set = async (repository: string, settings: readonly (readonly [string, string])[]) => {
  for (const [key, value] of settings)
    await git(["config", "--add", key, value], { cwd: `${root}/${repository}` });
};
for (const format of FORMATS) {
  copyRepository(`${root}/${format}.git`, `${root}/banded-${format}.git`);
  await set(`banded-${format}.git`, [["uploadpack.allowSidebandAll", "true"]]);
}

/** A pack of one blob, served by another server, as a host would put it on a CDN. */
copyRepository(`${root}/sha1.git`, `${root}/uris.git`);
const BLOB = await git(["rev-parse", "main:grows"], { cwd: `${root}/uris.git` });
const cdn = temporaryDirectory("cdn");
const packHash = await git(["pack-objects", `${cdn}/pack`], {
  cwd: `${root}/uris.git`,
  input: `${BLOB}\n`,
});
let fetched = 0;
const files = createServer((message, reply) => {
  fetched++;
  reply.end(readFileSync(`${cdn}${message.url}`));
});
await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
afterAll(() => void files.close());
const URI = `http://127.0.0.1:${(files.address() as AddressInfo).port}/pack-${packHash}.pack`;
await set("uris.git", [
  ["uploadpack.allowSidebandAll", "true"],
  ["uploadpack.blobPackfileUri", `${BLOB} ${packHash} ${URI}`],
]);

copyRepository(`${root}/sha1.git`, `${root}/told.git`);
await set("told.git", [
  ["transfer.advertiseObjectInfo", "true"],
  ["uploadpack.advertiseBundleURIs", "true"],
  ["bundle.version", "1"],
  ["bundle.mode", "all"],
  ["bundle.One.uri", "https://example.com/one"],
  ["promisor.advertise", "true"],
  ["remote.lop.url", "https://lop.example/a;b"],
  ["remote.lop.promisor", "true"],
]);
const server = await startServer(root);

describe.each(TRANSPORTS)("over %s", (transport) => {
  const ours = wayTo(server, transport, 2);

  it.each(FORMATS)("a client that is offered sideband-all clones and fetches, %s", async (format) => {
    const clone = `${temporaryDirectory("clone")}/c.git`;
    const env = { GIT_TRACE_PACKET: "1" };
    const url = ours.url(`banded-${format}.git`);
    const { status, stderr } = await ours.tryGit(["clone", "--mirror", "--depth=2", url, clone], { env });
    expect(status).toBe(0);
    expect(stderr).toMatch(/> sideband-all$/m);
    expect(stderr).toMatch(/< \\1shallow-info$/m);
    await ours.git(["fetch", "-q", "--unshallow", "origin"], { cwd: clone });
    expect(await reachableIn(clone)).toEqual(await reachableIn(`${root}/${format}.git`));
    await expectSound(clone);
  });

  it("a refusal reaches the user on sideband-all", async () => {
    const { status, stderr } = await ours.tryGit([
      "clone",
      "-q",
      "--bare",
      "--shallow-exclude=refs/heads/none",
      ours.url("banded-sha1.git"),
      `${temporaryDirectory("clone")}/c.git`,
    ]);
    expect(status).toBe(128);
    expect(stderr).toContain(
      "remote error: git upload-pack: deepen-not is not a ref: deepen-not refs/heads/none",
    );
  });

  it("a blob comes as a pack from elsewhere", async () => {
    const before = fetched;
    const clone = `${temporaryDirectory("clone")}/c.git`;
    const args = ["-c", "fetch.uriprotocols=http,https", "-q", "--mirror", ours.url("uris.git"), clone];
    await ours.git(["clone", ...args]);
    expect(fetched).toBe(before + 1);
    expect(await objectsOf(clone)).toEqual(await plainMirror());
    await expectSound(clone);
    const without = `${temporaryDirectory("clone")}/c.git`;
    await ours.git(["clone", "-q", "--mirror", ours.url("uris.git"), without]);
    expect(fetched).toBe(before + 1);
    expect(await objectsOf(without)).toEqual(await plainMirror());
  });

  it("the user's options to the server are taken", async () => {
    const list = await ours.git(["ls-remote", "-o", "one", "-o", "two=2", ours.url("sha1.git")]);
    expect(list).toContain("refs/heads/main");
    const clone = `${temporaryDirectory("clone")}/c.git`;
    await ours.git(["clone", "-q", "--mirror", "--server-option=x", ours.url("sha1.git"), clone]);
    expect(await objectsOf(clone)).toEqual(await plainMirror());
  });
});

let mirror: Promise<string[]> | undefined;
function plainMirror(): Promise<string[]> {
  const make = async () => {
    const directory = `${temporaryDirectory("mirror")}/m.git`;
    await git(["clone", "-q", "--mirror", "--no-local", `${root}/sha1.git`, directory]);
    return objectsOf(directory);
  };
  mirror ??= make();
  return mirror;
}

describe("on the wire", () => {
  const converse = async (words: string) => {
    const client = new RawClient(server.git).send(request("git-upload-pack", "/told.git", 2));
    const announced = await client.until(/0000$/);
    const answer = (await client.send(words, "0000").finish().answer()).slice(announced.length);
    return { announced, answer };
  };

  it("object-info, bundle-uri and promisor-remote are announced and answered", async () => {
    const tip = await git(["rev-parse", "main"], { cwd: `${root}/told.git` });
    const size = await git(["cat-file", "-s", "main"], { cwd: `${root}/told.git` });
    const asked = [
      `${packet("command=object-info")}0001${packet("size")}${packet(`oid ${tip}`)}0000`,
      `${packet("command=bundle-uri")}0000`,
      `${packet("command=ls-refs")}${packet("promisor-remote=lop")}0001${packet("ref-prefix none")}0000`,
    ];
    const { announced, answer } = await converse(asked.join(""));
    expect(announced).toContain(
      `${packet("object-info=size\n")}${packet("bundle-uri\n")}${packet("promisor-remote=name=lop,url=https://lop.example/a%3bb\n")}0000`,
    );
    expect(answer).toBe(
      [
        `${packet("size")}${packet(`${tip} ${size}`)}0000`,
        `${packet("bundle.version=1")}${packet("bundle.mode=all")}${packet("bundle.One.uri=https://example.com/one")}0000`,
        "0000",
      ].join(""),
    );
  });

  it("an object that no ref reaches has no size", async () => {
    const secret = await git(["hash-object", "-w", "--stdin"], {
      cwd: `${root}/told.git`,
      input: "secret",
    });
    const { answer } = await converse(
      `${packet("command=object-info")}0001${packet("size")}${packet(`oid ${secret}`)}0000`,
    );
    expect(answer).toBe(`${packet("size")}${packet(`${secret} `)}0000`);
  });

  it("what a promisor remote holds may be missing here for a client that accepts it", async () => {
    const cwd = copyRepository(`${root}/told.git`, `${root}/promised.git`);
    await git(["unpack-objects", "-q"], { cwd, input: readPacks(cwd) });
    const tip = await git(["rev-parse", "main"], { cwd });
    const gone = await git(["rev-parse", "main:grows"], { cwd });
    rmSync(`${cwd}/objects/${gone.slice(0, 2)}/${gone.slice(2)}`);
    const fetch = async (accepted: string) => {
      const client = new RawClient(server.git).send(request("git-upload-pack", "/promised.git", 2));
      const announced = await client.until(/0000$/);
      client.send(packet("command=fetch"), accepted, "0001", packet(`want ${tip}`), packet("no-progress"));
      client.send(packet("done"), "0000").finish();
      return (await client.answer()).slice(announced.length);
    };
    expect(await fetch(packet("promisor-remote=lop"))).toMatch(/^000dpackfile\n.*PACK.*0000$/s);
    expect(await fetch("")).toContain("aborting due to possible repository corruption on the remote side.");
  });
});

/** Takes the packs out of a repository. */
function readPacks(directory: string): Buffer {
  const names = readdirSync(`${directory}/objects/pack`).map((name) => `${directory}/objects/pack/${name}`);
  const packs = names.filter((name) => name.endsWith(".pack")).map((name) => readFileSync(name));
  for (const name of names) rmSync(name);
  expect(packs).toHaveLength(1);
  return packs[0] as Buffer;
}
