import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { httpRequest, packet, RawClient, request } from "./raw-client.ts";
import { BIN, startServer } from "./server.ts";

const root = temporaryDirectory("root");

/** Ten trees, each with ten entries for the next one: 10^10 paths in less than a kilobyte of pack. */
async function makeBomb(directory: string): Promise<string> {
  await git(["init", "-q", "--bare", directory]);
  const hash = (input: string) => git(["hash-object", "-w", "--stdin"], { cwd: directory, input });
  const tree = (input: string) => git(["mktree"], { cwd: directory, input });
  const patterns = await hash("/d1/**/d9\n!d3/\nd?/d[0-9]/*\n");
  const blob = await hash("boom\n");
  let below = `100644 blob ${blob}`;
  for (let level = 0; level < 10; level++) {
    const entries = Array.from({ length: 10 }, (_, i) => `${below}\td${i}\n`);
    below = `040000 tree ${await tree(entries.join(""))}`;
  }
  const top = await tree(`${below}\tbomb\n100644 blob ${patterns}\tpatterns\n`);
  const commit = await git(["commit-tree", "-m", "bomb", top], { cwd: directory });
  await git(["update-ref", "refs/heads/main", commit], { cwd: directory });
  await git(["config", "uploadpack.allowFilter", "true"], { cwd: directory });
  await git(["config", "uploadpackfilter.sparse:oid.allow", "true"], { cwd: directory });
  return patterns;
}
const patterns = await makeBomb(`${root}/bomb.git`);

/** More than what sockets and pipes hold between the two sides. */
const large = `${root}/large.git`;
await git(["init", "-q", "--bare", large]);
const blob = await git(["hash-object", "-w", "--stdin"], { cwd: large, input: randomBytes(60_000_000) });
const tree = await git(["mktree"], { cwd: large, input: `100644 blob ${blob}\tlarge\n` });
const commit = await git(["commit-tree", "-m", "large", tree], { cwd: large });
await git(["update-ref", "refs/heads/main", commit], { cwd: large });

const server = await startServer(root);
const tipOf = (name: string) => git(["rev-parse", "main"], { cwd: `${root}/${name}.git` });
const fetchWords = (id: string, ...lines: string[]) =>
  `${packet("command=fetch")}0001${packet(`want ${id}`)}${lines.map(packet).join("")}${packet("done")}0000`;

describe("D8 a tree with 10^10 paths", () => {
  it.each([
    "blob:none",
    "tree:5",
    "object:type=blob",
    `sparse:oid=${patterns}`,
    "combine:tree:5+blob:none",
    `combine:sparse:oid=${patterns}+tree:9`,
    `combine:${Array(14).fill(`sparse:oid=${patterns}`).join("+")}`,
  ])("and %s is over soon, and others are served meanwhile", async (filter) => {
    const started = performance.now();
    const client = new RawClient(server.git).send(request("git-upload-pack", "/bomb.git", 2));
    const announced = await client.until(/0000$/);
    client.send(fetchWords(await tipOf("bomb"), `filter ${filter}`)).finish();
    const list = await tryGit(["ls-remote", `${server.git}/bomb.git`], { timeoutMs: 5000 });
    expect(list.status).toBe(0);
    const answer = (await client.answer()).slice(announced.length);
    expect(answer).toMatch(/^000dpackfile\n.*(?:0000|max[A-Z][^\n]*\n)$/s);
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});

describe("a client that goes away in the middle of a pack is let go within a second", () => {
  const gone = async (leave: () => void, which: RegExp) => {
    const lines = () =>
      server
        .log()
        .split("\n")
        .filter((line) => which.test(line) && line.includes("large.git"));
    const before = lines().length;
    const started = performance.now();
    leave();
    while (lines().length === before && performance.now() - started < 5000)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(lines().length).toBe(before + 1);
    expect(performance.now() - started).toBeLessThan(1000);
  };

  it("over git://", async () => {
    const client = new RawClient(server.git).send(request("git-upload-pack", "/large.git", 2));
    await client.until(/0000$/);
    client.send(fetchWords(await tipOf("large")));
    await client.until(/PACK/);
    await gone(() => client.socket.destroy(), /git-upload-pack/);
  });

  it("over http", async () => {
    const client = new RawClient(server.http).send(
      httpRequest(
        "POST",
        "/large.git/git-upload-pack",
        { "Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": "version=2" },
        fetchWords(await tipOf("large")),
      ),
    );
    await client.until(/PACK/);
    await gone(() => client.socket.destroy(), /git-upload-pack/);
  });

  it("over stdio", async () => {
    const child = spawn(process.execPath, [BIN, "upload-pack", large], {
      env: { GIT_PROTOCOL: "version=2" },
    });
    child.stdin.on("error", () => {}).write(fetchWords(await tipOf("large")));
    let received = "";
    while (!received.includes("PACK"))
      received += ((await once(child.stdout, "data")) as [Buffer])[0].toString("latin1");
    const started = performance.now();
    child.stdout.destroy();
    child.stdin.destroy();
    await once(child, "exit");
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
