import { readFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { createGitServices } from "@x/server-core";
import { createFetchHandler } from "@x/transport-http";
import { createNodeHttpServer, type NodeHttpServer } from "@x/transport-http/node";
import { createTcpGitServer, type TcpGitServer } from "@x/transport-tcp";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryRepository, type MemoryRepository, repositoriesFrom } from "../src/index.ts";
import { createNodeTools } from "../src/node.ts";

const servers: (NodeHttpServer | TcpGitServer)[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(
  repositories: ReadonlyMap<string, MemoryRepository>,
  transport: "http" | "git" = "http",
): Promise<string> {
  const services = createGitServices({
    repositories: repositoriesFrom(repositories),
    services: ["git-upload-pack", "git-receive-pack", "git-upload-archive"],
  });
  const handler = createFetchHandler(services);
  const server =
    transport === "http" ? createNodeHttpServer({ handler }) : createTcpGitServer({ ...services, port: 0 });
  servers.push(server);
  const { port } = await server.listen();
  return `${transport}://127.0.0.1:${port}`;
}

const author = { name: "A", email: "a@example.com", at: 1_700_000_000 };
const KINDS = (["sha1", "sha256"] as const).flatMap((objectFormat) =>
  ([0, 1, 2] as const).map((version) => ({ objectFormat, version })),
);

describe.each(KINDS)(
  "a repository in memory, $objectFormat, protocol v$version",
  ({ objectFormat, version }) => {
    const wire = ["-c", `protocol.version=${version}`];

    it("is cloned, fetched from and pushed to", async () => {
      const repository = createMemoryRepository({ objectFormat, author, tools: createNodeTools() });
      await repository.commit({
        branch: "main",
        message: "one",
        files: { "README.md": "# hi\n", "src/a.ts": "a" },
      });
      await repository.tag({ name: "v1", message: "first" });
      const url = `${await serve(new Map([["team/app", repository]]))}/team/app.git`;
      const work = `${temporaryDirectory("memory")}/w`;
      await git([...wire, "clone", "-q", url, work]);
      await git(["fsck", "--strict"], { cwd: work });
      expect(await git(["show", "v1:README.md"], { cwd: work })).toBe("# hi");

      const two = await repository.commit({
        branch: "main",
        message: "two",
        files: { "src/a.ts": undefined, b: "b" },
      });
      await git([...wire, "pull", "-q"], { cwd: work });
      expect(await git(["rev-parse", "HEAD"], { cwd: work })).toBe(two);
      expect(await git(["ls-tree", "-r", "--name-only", "HEAD"], { cwd: work })).toBe("README.md\nb");

      await git(["checkout", "-q", "-b", "topic"], { cwd: work });
      await git(["commit", "-q", "--allow-empty", "-m", "three"], { cwd: work });
      await git(["mv", "b", "c"], { cwd: work });
      await git(["commit", "-q", "-am", "four"], { cwd: work });
      await git([...wire, "push", "-q", "origin", "topic"], { cwd: work });
      expect(new TextDecoder().decode(await repository.readFile("topic", "c"))).toBe("b");
      const again = `${temporaryDirectory("memory")}/w`;
      await git([...wire, "clone", "-q", "--depth=1", "-b", "topic", url, again]);
      expect(await git(["rev-list", "--count", "HEAD"], { cwd: again })).toBe("1");
    });
  },
);

describe("a repository in memory of many objects", () => {
  it("is packed before it is fetched, again and again, as its tools may be", async () => {
    for (const tools of [undefined, createNodeTools()]) {
      const repository = createMemoryRepository({ author, ...(tools && { tools }) });
      const url = `${await serve(new Map([["r", repository]]))}/r`;
      const work = `${temporaryDirectory("memory")}/w`;
      const fill = async (round: number) => {
        const files = Array.from({ length: 100 }, (_, i) => [`d${i % 7}/f${i}`, `${round} ${i}\n`.repeat(i)]);
        return repository.commit({ branch: "main", message: `${round}`, files: Object.fromEntries(files) });
      };
      await fill(1);
      await git(["clone", "-q", "--bare", url, work]);
      for (const round of [2, 3]) {
        const tip = await fill(round);
        await git(["fetch", "-q", "origin", "main:main"], { cwd: work });
        expect(await git(["rev-parse", "main"], { cwd: work })).toBe(tip);
        await git(["fsck", "--strict", "--connectivity-only"], { cwd: work });
      }
      await git(["clone", "-q", "--bare", url, `${work}2`]);
      await git(["fsck", "--strict"], { cwd: `${work}2` });
    }
  });

  it("takes large pushes in, thin ones too, and serves them", async () => {
    const repository = createMemoryRepository({ author, tools: createNodeTools() });
    await repository.commit({ branch: "main", message: "one", files: { big: "line\n".repeat(5000) } });
    const url = `${await serve(new Map([["r", repository]]))}/r`;
    const work = `${temporaryDirectory("memory")}/w`;
    await git(["clone", "-q", url, work]);
    for (let i = 0; i < 60; i++) {
      const message = `${i}`;
      await git(["commit", "-q", "--allow-empty", "-m", message], { cwd: work });
    }
    await git(["rm", "-q", "big"], { cwd: work });
    for (const name of ["a", "b"]) {
      await git(["checkout", "-q", "HEAD~3", "--", "big"], { cwd: work });
      await git(["mv", "big", `${name}-big`], { cwd: work });
      await git(["commit", "-q", "-m", name], { cwd: work });
    }
    await git(["push", "-q", "origin", "main"], { cwd: work });
    expect(await repository.resolve("main")).toBe(await git(["rev-parse", "HEAD"], { cwd: work }));
    await git(["clone", "-q", "--bare", url, `${work}2`]);
    await git(["fsck", "--strict"], { cwd: `${work}2` });
    await expect(git(["push", "-q", "origin", "main~5:main"], { cwd: work })).rejects.toThrow();
    await git(["push", "-q", "-f", "origin", "main~5:main", "main:refs/heads/x/y"], { cwd: work });
    await repository.setSymbolicRef("HEAD", "refs/heads/x/y");
    await git(["push", "-q", "origin", ":main"], { cwd: work });
    const names = (await git(["ls-remote", url], { cwd: work }))
      .split("\n")
      .map((line) => line.split("\t")[1]);
    expect(names).toEqual(["HEAD", "refs/heads/x/y"]);
  });
});

describe.each(["sha1", "sha256"] as const)("what else a repository in memory gives, %s", (objectFormat) => {
  const filled = async () => {
    const repository = createMemoryRepository({ objectFormat, author, tools: createNodeTools() });
    const files = {
      "a/b.txt": "b\n".repeat(100_000),
      version: "$Format:%h %D$\n",
      ".gitattributes": "version export-subst\n",
    };
    await repository.commit({ branch: "main", message: "one", files });
    await repository.tag({ name: "v1", message: "first" });
    return repository;
  };

  it("archives, byte for byte as git makes them of a clone", async () => {
    const url = `${await serve(new Map([["r", await filled()]]), "git")}/r`;
    const work = temporaryDirectory("archive");
    await git(["clone", "-q", "--bare", url, "r.git"], { cwd: work });
    for (const format of ["tar", "zip"]) {
      const args = ["archive", `--format=${format}`, "--prefix=p/"];
      await git([...args, `--remote=${url}`, "-o", "ours", "v1"], { cwd: work });
      await git([...args, "-o", `${work}/theirs`, "v1"], { cwd: `${work}/r.git` });
      expect(readFileSync(`${work}/ours`).equals(readFileSync(`${work}/theirs`)), format).toBe(true);
    }
    const wrong = await tryGit(["archive", `--remote=${url}`, "v1", "nowhere"], { cwd: work });
    expect(wrong.stderr).toContain("nowhere");
  });

  it("files for clients that know the dumb protocol only", async () => {
    const repository = await filled();
    const url = `${await serve(new Map([["r", repository]]))}/r`;
    const work = `${temporaryDirectory("dumb")}/w`;
    await git(["clone", "-q", url, work], { env: { GIT_SMART_HTTP: "0" } });
    await git(["fsck", "--strict"], { cwd: work });
    expect(await git(["rev-parse", "HEAD"], { cwd: work })).toBe(await repository.resolve("main"));
    for (const kind of ["alternates", "pack"] as const)
      expect(await repository.files.open({ kind, checksum: "", id: "" } as never)).toBeUndefined();
    expect(await repository.files.open({ kind: "loose-object", id: "../../config" })).toBeUndefined();
  });
});
