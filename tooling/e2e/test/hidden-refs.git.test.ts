import { readFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { objectsOf } from "./compare.ts";
import { copyRepository, grow, makeRich } from "./fixtures.ts";
import { startServer } from "./server.ts";
import { stockWay, TRANSPORTS, type Transport, VERSIONS, type Version, wayTo, XGIT } from "./way.ts";

const root = temporaryDirectory("root");
await makeRich(`${root}/full.git`, "sha1");
const at = (cwd: string, ...args: string[]) => git(args, { cwd });

/** A copy with a commit that only a hidden ref reaches, and one that no ref does. */
async function makeRepository(name: string, settings: Readonly<Record<string, string>> = {}) {
  const directory = copyRepository(`${root}/full.git`, `${root}/${name}.git`);
  const secret = await grow(directory, "secret", 1);
  await at(directory, "update-ref", "refs/hidden/secret", secret);
  await at(directory, "update-ref", "-d", "refs/heads/secret");
  const lost = await grow(directory, "lost", 1);
  await at(directory, "update-ref", "-d", "refs/heads/lost");
  for (const [key, value] of Object.entries({ "transfer.hideRefs": "refs/hidden", ...settings }))
    await at(directory, "config", key, value);
  return { name: `${name}.git`, directory, secret, lost, old: await at(directory, "rev-parse", "main~3") };
}

const plain = await makeRepository("plain");
const strict = await makeRepository("strict", { "uploadpack.allowReachableSHA1InWant": "false" });
const tips = await makeRepository("tips", { "uploadpack.allowTipSHA1InWant": "true" });
const any = await makeRepository("any", { "uploadpack.allowAnySHA1InWant": "true" });
const named = await makeRepository("named", { "uploadpack.allowRefInWant": "true" });
const partial = await makeRepository("partial", { "uploadpack.allowFilter": "true" });
const server = await startServer(root);

const WAYS = TRANSPORTS.flatMap((transport) =>
  VERSIONS.map((version): { label: string; transport: Transport; version: Version } => ({
    label: `${transport}, v${version}`,
    transport,
    version,
  })),
);

describe.each(WAYS)("over $label", ({ transport, version }) => {
  const ours = wayTo(server, transport, version);
  const stock = stockWay(root, version);

  /** Fetches one object by its id into an empty repository. */
  async function fetchById(name: string, id: string) {
    const cwd = temporaryDirectory("one");
    await git(["init", "-q", "--bare", cwd]);
    const { status, stderr } = await ours.tryGit(["fetch", ours.url(name), id], { cwd });
    const { status: present } = await tryGit(["cat-file", "-e", id], { cwd });
    expect(present === 0).toBe(status === 0);
    return { given: status === 0, stderr };
  }

  it("what is hidden is neither listed nor cloned, as with stock git", async () => {
    const list = await ours.git(["ls-remote", ours.url(plain.name)]);
    expect(list).toBe(await stock.git(["ls-remote", stock.url(plain.name)]));
    expect(list).not.toContain("hidden");
    const [mine, theirs] = [temporaryDirectory("mine"), temporaryDirectory("theirs")];
    await ours.git(["clone", "-q", "--mirror", ours.url(plain.name), mine]);
    await stock.git(["clone", "-q", "--mirror", stock.url(plain.name), theirs]);
    expect(await objectsOf(mine)).toEqual(await objectsOf(theirs));
    expect((await tryGit(["cat-file", "-e", plain.secret], { cwd: mine })).status).not.toBe(0);
  });

  it("what is hidden or lost cannot be had by its id", async () => {
    for (const { name, secret, lost } of [plain, strict])
      for (const id of [secret, lost, "ab".repeat(20)]) {
        const { given, stderr } = await fetchById(name, id);
        expect(given).toBe(false);
        expect(stderr).toContain(
          version === 2
            ? `remote error: upload-pack: not our ref ${id}`
            : "Server does not allow request for unadvertised object",
        );
      }
  });

  it("old commits can be had by their id in v2, unless a setting forbids it", async () => {
    expect((await fetchById(plain.name, plain.old)).given).toBe(version === 2);
    expect((await fetchById(strict.name, strict.old)).given).toBe(false);
    expect((await fetchById(partial.name, partial.old)).given).toBe(true);
  });

  it("settings give more", async () => {
    expect((await fetchById(tips.name, tips.secret)).given).toBe(true);
    const lost = await fetchById(tips.name, tips.lost);
    expect(lost.given).toBe(false);
    expect(lost.stderr).toContain(`upload-pack: not our ref ${tips.lost}`);
    for (const id of [any.secret, any.lost, any.old])
      expect((await fetchById(any.name, id)).given).toBe(true);
  });

  it("a partial clone gets what it lacks later, with nothing else set", async () => {
    const cwd = temporaryDirectory("partial");
    const upload = transport === "stdio" ? ["-c", `remote.origin.uploadpack=${XGIT} upload-pack`] : [];
    await ours.git(["clone", "-q", "--bare", "--filter=blob:none", ours.url(partial.name), cwd]);
    const blob = (await at(cwd, "ls-tree", "main", "grows")).split(/\s/)[2] as string;
    const { status, stdout, stderr } = await tryGit(
      ["-c", `protocol.version=${version}`, ...upload, "cat-file", "blob", blob],
      { cwd },
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("line 1 of the file");
  });

  it("refs are wanted by name where that is allowed", async () => {
    const cwd = temporaryDirectory("named");
    await git(["init", "-q", "--bare", cwd]);
    const trace = `${cwd}/trace`;
    const env = { GIT_TRACE_PACKET: trace };
    await ours.git(["fetch", "-q", ours.url(named.name), "main:refs/heads/x"], { cwd, env });
    expect(await at(cwd, "rev-parse", "refs/heads/x")).toBe(await at(named.directory, "rev-parse", "main"));
    const said = readFileSync(trace, "latin1");
    expect(said.includes("want-ref refs/heads/main")).toBe(version === 2);
    expect(said.includes("wanted-refs")).toBe(version === 2);
  });
});

describe.each(TRANSPORTS)("a push over %s", (transport) => {
  it("to a hidden ref is refused in git's words, and leaves nothing behind", async () => {
    const { name, directory, secret } = await makeRepository(`push-${transport}`);
    await at(directory, "config", "receive.hideRefs", "refs/heads/closed");
    const work = temporaryDirectory("work");
    await git(["clone", "-q", `${root}/full.git`, work]);
    await git(["commit", "-q", "--allow-empty", "-m", "new"], { cwd: work });
    const way = wayTo(server, transport, 0);
    const before = await objectsOf(directory);
    const refused = [
      ["HEAD:refs/hidden/new", "deny updating a hidden ref"],
      ["+HEAD:refs/hidden/secret", "deny updating a hidden ref"],
      [":refs/hidden/secret", "deny deleting a hidden ref"],
      ["HEAD:refs/heads/closed", "deny updating a hidden ref"],
    ] as const;
    for (const [refspec, words] of refused) {
      const { status, stderr } = await way.tryGit(["push", way.url(name), refspec], { cwd: work });
      expect(status).not.toBe(0);
      // git asks before it deletes what it was not shown.
      if (!(refspec.startsWith(":") && stderr.includes("remote ref does not exist")))
        expect(stderr).toContain(words);
    }
    expect(await objectsOf(directory)).toEqual(before);
    expect(await at(directory, "rev-parse", "refs/hidden/secret")).toBe(secret);
    const { status, stderr } = await way.tryGit(["push", way.url(name), "HEAD:refs/heads/open"], {
      cwd: work,
    });
    expect(status, stderr).toBe(0);
  });
});
