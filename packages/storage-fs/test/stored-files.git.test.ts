import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createTestRepository, temporaryDirectory } from "@tooling/test-kit";
import { createWorkerPool, findRepository, openRepository, type StoredFileName } from "@x/storage-fs";
import { afterAll, describe, expect, it } from "vitest";

const pool = createWorkerPool();
afterAll(() => pool.close());

async function made(objectFormat: "sha1" | "sha256" = "sha1") {
  const source = await createTestRepository({ objectFormat });
  await source.commit("one");
  await source.git("repack", "-adq");
  await source.commit("two");
  await source.git("repack", "-dq");
  const loose = await source.commit("three");
  const layout = await findRepository(source.directory);
  if (layout === undefined) throw new Error("there is no repository");
  const { files } = await openRepository(layout, pool);
  return { source, objects: layout.objectsDirectory, files, loose };
}

describe.each(["sha1", "sha256"] as const)("files of a repository, %s", (format) => {
  it("are read whole and in parts", async () => {
    const { objects, files, loose } = await made(format);
    const [checksum = ""] = await files.packs();
    const cases: [StoredFileName, string][] = [
      [{ kind: "loose-object", id: loose }, `${loose.slice(0, 2)}/${loose.slice(2)}`],
      [{ kind: "pack", checksum }, `pack/pack-${checksum}.pack`],
      [{ kind: "pack-index", checksum }, `pack/pack-${checksum}.idx`],
    ];
    for (const [name, path] of cases) {
      const expected = readFileSync(`${objects}/${path}`);
      for (const [start, end] of [
        [0, expected.length],
        [3, 7],
        [5, 5],
      ] as const) {
        const file = await files.open(name);
        if (file === undefined) throw new Error(`${path} is not found`);
        expect(file.size).toBe(expected.length);
        const chunks: Uint8Array[] = [];
        for await (const chunk of file.read({ start, end })) chunks.push(chunk);
        expect(Buffer.concat(chunks).equals(expected.subarray(start, end))).toBe(true);
      }
    }
  });

  it("packs are listed with the latest first, and those without an index not", async () => {
    const { objects, files } = await made(format);
    const [first = "", second = ""] = await files.packs();
    expect(second).toMatch(/^[0-9a-f]+$/);
    utimesSync(`${objects}/pack/pack-${second}.pack`, 2_000_000_000, 2_000_000_000);
    expect(await files.packs()).toEqual([second, first]);
    renameSync(`${objects}/pack/pack-${first}.idx`, `${objects}/pack/pack-${first}.gone`);
    expect(await files.packs()).toEqual([second]);
  });
});

describe("files of a repository", () => {
  it("have a stamp that changes with them", async () => {
    const { objects, files } = await made();
    mkdirSync(`${objects}/info`, { recursive: true });
    writeFileSync(`${objects}/info/alternates`, "");
    const first = await files.open({ kind: "alternates" });
    await first?.close();
    await first?.close();
    expect(first?.size).toBe(0);
    writeFileSync(`${objects}/info/alternates`, "/elsewhere\n");
    const second = await files.open({ kind: "alternates" });
    await second?.close();
    expect(second?.stamp).not.toBe(first?.stamp);
    expect(await files.open({ kind: "http-alternates" })).toBeUndefined();
  });

  it("nothing but names of them becomes a path", async () => {
    const { files } = await made();
    const bad = [
      "",
      "..",
      "../../config",
      "a/../../../config",
      `${"a".repeat(38)}/x`,
      "A".repeat(40),
      "0".repeat(41),
    ];
    for (const text of bad) {
      expect(await files.open({ kind: "loose-object", id: text })).toBeUndefined();
      expect(await files.open({ kind: "pack", checksum: text })).toBeUndefined();
    }
  });

  it("symbolic links are not followed, and directories are no files", async () => {
    const { objects, files, loose } = await made();
    const outside = temporaryDirectory("outside");
    writeFileSync(`${outside}/secret`, "secret");
    symlinkSync(`${outside}/secret`, `${objects}/info/http-alternates`);
    mkdirSync(`${objects}/info/alternates`);
    expect(await files.open({ kind: "http-alternates" })).toBeUndefined();
    expect(await files.open({ kind: "alternates" })).toBeUndefined();
    renameSync(`${objects}/${loose.slice(0, 2)}`, `${outside}/moved`);
    symlinkSync(`${outside}/moved`, `${objects}/${loose.slice(0, 2)}`);
    expect(readdirSync(`${objects}/${loose.slice(0, 2)}`)).toContain(loose.slice(2));
    expect(await files.open({ kind: "loose-object", id: loose })).toBeUndefined();
  });

  it("one that becomes shorter while it is read is not passed off as whole", async () => {
    const { objects, files } = await made();
    writeFileSync(`${objects}/info/alternates`, "x".repeat(200_000));
    const file = await files.open({ kind: "alternates" });
    const read = async () => {
      for await (const _ of file?.read({ start: 0, end: 200_000 }) ?? [])
        writeFileSync(`${objects}/info/alternates`, "x");
    };
    await expect(read()).rejects.toThrow("shorter");
  });
});
