import { describe, expect, it } from "vitest";
import {
  type AccessVerdict,
  createGitServices,
  type DumbFile,
  type GitServiceOptions,
  generateInfoRefs,
  generateObjectsInfoPacks,
  type Repository,
  ServiceError,
  type StoredFiles,
} from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";

const PACK = "a".repeat(40);

/** One stored file, and how often it was closed. */
function filesOf(text: string): StoredFiles & { closed: number } {
  const files = {
    closed: 0,
    packs: async () => [PACK, "b".repeat(40)],
    open: async (name: { readonly kind: string }) =>
      name.kind !== "pack"
        ? undefined
        : {
            size: text.length,
            stamp: "s1",
            modifiedMs: 1000,
            async *read({ start, end }: { readonly start: number; readonly end: number }) {
              yield new TextEncoder().encode(text.slice(start, end));
            },
            close: async () => void files.closed++,
          },
  };
  return files;
}

const repositoryWith = (files: StoredFiles = filesOf("pack")) =>
  Object.assign(new MemoryRepository(), { files });

async function ask(
  repository: Repository | undefined,
  file: DumbFile,
  options: Partial<GitServiceOptions> = {},
) {
  const lines: Record<string, unknown>[] = [];
  const keep = (fields: object) => void lines.push(fields as Record<string, unknown>);
  const { dumb } = createGitServices({
    repositories: async () => repository,
    logger: { debug: keep, info: keep, warn: keep, error: keep },
    ...options,
  });
  const signal = new AbortController().signal;
  try {
    const content = await dumb({ repository: "/a", file, transport: "http", peer: {}, signal });
    let text: string | undefined;
    if (content !== undefined) {
      text = "";
      for await (const chunk of content.read()) text += new TextDecoder("latin1").decode(chunk);
    }
    return { content, text, lines };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { error, lines };
  }
}

describe("files for dumb clients", () => {
  it("info/refs lists what may be seen, with what tags peel to, and no HEAD", async () => {
    const repository = repositoryWith();
    const [c1, , , , c5] = repository.five();
    const tag = repository.tag("v1", c1);
    repository.refs.set("refs/tags/v1", tag);
    repository.refs.set("refs/heads/\xff", c1);
    repository.refs.set("refs/secret/x", c1);
    repository.refs.point("refs/heads/alias", "refs/heads/main");
    repository.refs.set("refs/heads/lost", "1".repeat(40) as typeof c1);
    repository.configure("transfer.hideRefs", "refs/secret");
    const { text, content, lines } = await ask(repository, { kind: "info-refs" });
    expect(text).toBe(
      `${c5}\trefs/heads/alias\n${c5}\trefs/heads/main\n${c1}\trefs/heads/\xff\n${tag}\trefs/tags/v1\n${c1}\trefs/tags/v1^{}\n`,
    );
    expect(content).toMatchObject({ size: text?.length, immutable: false });
    expect(content?.stamp).toBeUndefined();
    expect(lines).toContainEqual(
      expect.objectContaining({ mode: "file", file: "info-refs", outcome: "ok", bytesOut: text?.length }),
    );
    const chunks: string[] = [];
    for await (const chunk of generateInfoRefs(repository))
      chunks.push(new TextDecoder("latin1").decode(chunk));
    expect(chunks.join("")).toBe(text);
  });

  it("info/refs of very many refs is made while it is read, in chunks", async () => {
    const repository = repositoryWith();
    const [c1] = repository.five();
    for (let i = 0; i < 30_000; i++) repository.refs.set(`refs/heads/b${i}`, c1);
    const { content, text } = await ask(repository, { kind: "info-refs" });
    expect(content?.size).toBeUndefined();
    expect(text?.split("\n")).toHaveLength(30_002);
    for await (const chunk of generateInfoRefs(repository)) expect(chunk.length).toBeLessThanOrEqual(65536);
  });

  it("a namespace is all that there is", async () => {
    const repository = repositoryWith();
    const [c1, c2] = repository.five();
    repository.refs.set("refs/namespaces/n/refs/heads/main", c1);
    repository.refs.point("refs/namespaces/n/HEAD", "refs/namespaces/n/refs/heads/main");
    repository.refs.set("refs/heads/other", c2);
    repository.namespace = "refs/namespaces/n/";
    expect((await ask(repository, { kind: "info-refs" })).text).toBe(`${c1}\trefs/heads/main\n`);
    expect((await ask(repository, { kind: "head" })).text).toBe("ref: refs/heads/main\n");
  });

  it("HEAD says where it leads, or what it holds, or nothing", async () => {
    const repository = repositoryWith();
    expect((await ask(repository, { kind: "head" })).text).toBe("");
    const [c1] = repository.five();
    expect((await ask(repository, { kind: "head" })).text).toBe("ref: refs/heads/main\n");
    repository.configure("uploadpack.hideRefs", "refs/heads/main");
    expect((await ask(repository, { kind: "head" })).text).toBe("");
    repository.refs.set("HEAD", c1);
    expect((await ask(repository, { kind: "head" })).text).toBe(`${c1}\n`);
  });

  it("objects/info/packs lists the repository's own packs", async () => {
    const expected = `P pack-${PACK}.pack\nP pack-${"b".repeat(40)}.pack\n\n`;
    expect((await ask(repositoryWith(), { kind: "packs" })).text).toBe(expected);
    expect(new TextDecoder().decode(await generateObjectsInfoPacks(repositoryWith()))).toBe(expected);
    expect(new TextDecoder().decode(await generateObjectsInfoPacks(new MemoryRepository()))).toBe("\n");
  });

  it("gives stored files as they are, and nothing for what is not there", async () => {
    const { content, text } = await ask(repositoryWith(), { kind: "pack", checksum: PACK });
    expect(content).toMatchObject({ size: 4, stamp: "s1", modifiedMs: 1000, immutable: true });
    expect(text).toBe("pack");
    const absent = await ask(repositoryWith(), { kind: "alternates" });
    expect([absent.content, absent.error]).toEqual([undefined, undefined]);
    expect(absent.lines).toContainEqual(expect.objectContaining({ reason: "no such file" }));
  });

  it.each<[AccessVerdict, string]>([
    [{ granted: false, reason: "credentials" }, "server-core/unauthenticated"],
    [{ granted: false, reason: "hidden" }, "server-core/unauthenticated"],
    [{ granted: false, reason: "forbidden" }, "server-core/forbidden"],
  ])("asks authorize as for a fetch: %j", async (verdict, code) => {
    const asked: unknown[] = [];
    const looked: unknown[] = [];
    const { error } = await ask(
      repositoryWith(),
      { kind: "head" },
      {
        authorize: async (request) => {
          asked.push(request.service);
          return verdict;
        },
        repositories: async (call) => {
          looked.push(call);
          return repositoryWith();
        },
      },
    );
    expect([error?.code, error?.reported, asked]).toEqual([code, false, ["git-upload-pack"]]);
    // What is forbidden has to be there.
    expect(looked).toHaveLength(code === "server-core/forbidden" ? 1 : 0);
  });

  it("refuses where fetching is off, where there is no repository, and where files cannot be had", async () => {
    const off = await ask(repositoryWith(), { kind: "head" }, { services: ["git-receive-pack"] });
    expect(off.error?.code).toBe("server-core/service-disabled");
    expect((await ask(undefined, { kind: "head" })).error?.code).toBe("server-core/repository-not-found");
    const memory = await ask(new MemoryRepository(), { kind: "info-refs" });
    expect(memory.error?.code).toBe("server-core/service-disabled");
  });
});
