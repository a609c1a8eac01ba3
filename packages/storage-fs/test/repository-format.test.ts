import { describe, expect, it } from "vitest";
import { parseConfig } from "../src/config/config-file.ts";
import { createFileConfig } from "../src/config/repository-config.ts";
import { readRepositoryFormat } from "../src/repository/repository-format.ts";

const read = (text: string) => readRepositoryFormat(createFileConfig(parseConfig(Buffer.from(text))));
const version = (number: number, extensions = "") =>
  `[core]\nrepositoryformatversion = ${number}\n[extensions]\n${extensions}`;

describe("readRepositoryFormat", () => {
  it("takes a plain repository", () => {
    expect(read("[core]\nrepositoryformatversion = 0\nbare = true\n")).toEqual({
      version: 0,
      objectFormat: "sha1",
      refStorage: { backend: "files", path: undefined },
      bare: true,
      partialClone: undefined,
      preciousObjects: false,
    });
  });

  it("forgets extensions where there is no version, as C git does", () => {
    expect(read("[extensions]\nobjectFormat = sha256\nnonsense\n").objectFormat).toBe("sha1");
  });

  it("reads the extensions of version 1", () => {
    const extensions =
      "objectFormat = sha256\nnoop\nnoop-v1\nrelativeWorktrees\nworktreeConfig\nrefStorage = files\n";
    expect(read(version(1, `${extensions}partialClone = origin\npreciousObjects\n`))).toMatchObject({
      version: 1,
      objectFormat: "sha256",
      partialClone: "origin",
      preciousObjects: true,
    });
  });

  it.each([
    ["files", "files", undefined],
    ["reftable", "reftable", undefined],
    ["reftable://../refs", "reftable", "../refs"],
    ["files:///srv/refs", "files", "/srv/refs"],
  ])("reads the ref storage %s", (text, backend, path) => {
    expect(read(version(1, `refStorage = ${text}\n`)).refStorage).toEqual({ backend, path });
  });

  it("honours the old extensions in version 0 and ignores unknown ones there", () => {
    expect(read(version(0, "preciousObjects = true\nnonsense = 1\n")).preciousObjects).toBe(true);
  });

  it.each([
    [version(2), "Expected git repo version <= 1, found 2"],
    [version(-1), "Expected git repo version <= 1, found -1"],
    [version(1, "nonsense = 1\n"), "unknown repository extension found: nonsense"],
    [version(1, "compatObjectFormat = sha256\n"), "unknown repository extension found: compatobjectformat"],
    [version(0, "objectFormat = sha256\n"), "repo version is 0, but v1-only extension found: objectformat"],
    [version(1, "objectFormat = md5\n"), "invalid value for 'extensions.objectformat': 'md5'"],
    [version(1, "refStorage = sqlite\n"), "invalid value for 'extensions.refstorage': 'sqlite'"],
    [version(1, "refStorage = sqlite://x\n"), "invalid value for 'extensions.refstorage': 'sqlite://x'"],
    [version(0, "refStorage = reftable\n"), "repo version is 0, but v1-only extension found: refstorage"],
  ])("refuses %j", (text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: "storage-fs/unsupported-repository", message }),
    );
  });

  it.each(["[core]\nbare = maybe\n", "[core]\nrepositoryformatversion = x\n"])(
    "refuses %j as bad config",
    (text) => {
      expect(() => read(text)).toThrow(expect.objectContaining({ code: "storage-fs/bad-config" }));
    },
  );
});
