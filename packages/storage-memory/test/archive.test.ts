import type { ArchiveRequest, ObjectId, ObjectsError } from "@x/objects";
import { describe, expect, it } from "vitest";
import { createMemoryRepository } from "../src/index.ts";

const SETTINGS: ArchiveRequest["settings"] = {
  umask: 0o002,
  lineEndings: { autocrlf: "false", eol: "lf" },
  bigFileThreshold: 512 * 1024 * 1024,
  ignoreCase: false,
  binaryDrivers: new Map(),
};

async function archiveOf(more: Partial<ArchiveRequest> = {}, signal?: AbortSignal): Promise<Buffer> {
  const repository = createMemoryRepository({ author: { name: "R", email: "r@example.com", at: 1 } });
  const commit = await repository.commit({
    branch: "main",
    message: "one",
    files: {
      ".gitattributes": "decorated export-subst\n",
      decorated: "$Format:%s%d$\n",
      "dir/file": "text\n".repeat(100_000),
    },
  });
  const { data } = (await repository.objects.read(commit)) ?? { data: new Uint8Array(0) };
  const tree = Buffer.from(data).toString("latin1", 5, 45) as ObjectId;
  const request: ArchiveRequest = {
    format: "tar",
    tree,
    commit,
    time: 1,
    prefix: "",
    paths: [],
    settings: SETTINGS,
    ...more,
  };
  const pieces: Uint8Array[] = [];
  const refs = async () => [{ name: "refs/heads/main", id: commit }];
  for await (const event of repository.objects.createArchive?.(request, { refs, signal }) ?? [])
    if (event.kind === "bytes") pieces.push(event.bytes.slice());
  return Buffer.concat(pieces);
}

const failure = (error: unknown) => (error as ObjectsError).code;

describe("archives of a repository in memory", () => {
  it("are made in the thread that asks", async () => {
    const bytes = await archiveOf();
    const text = bytes.toString("latin1");
    expect(bytes.length % 10_240).toBe(0);
    expect(text.startsWith("pax_global_header\0")).toBe(true);
    expect(text).toContain("one (main)\n");
    expect(text).toContain("dir/file\0");
  });

  it("fail in the words of the port", async () => {
    expect(await archiveOf({ paths: ["nope"] }).catch(failure)).toBe("objects/bad-archive-request");
    const limits = { maxArchiveEntries: 1, maxArchiveBytes: 1e9, maxCpuMs: 1e6 };
    expect(await archiveOf({ limits }).catch(failure)).toBe("objects/limit-exceeded");
    expect(await archiveOf({ tree: "1".repeat(40) as ObjectId }).catch(failure)).toBe("objects/not-found");
    const slow = { maxArchiveEntries: 1e6, maxArchiveBytes: 1e9, maxCpuMs: 0 };
    expect(await archiveOf({ limits: slow }).catch(failure)).toBe("objects/limit-exceeded");
  });

  it("can be called off", async () => {
    const gone = new Error("gone");
    await expect(archiveOf({}, AbortSignal.abort(gone))).rejects.toBe(gone);
  });
});
