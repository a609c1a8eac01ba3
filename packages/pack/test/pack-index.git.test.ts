import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createTestRepository, gitEnvironment, temporaryDirectory } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { describe, expect, it } from "vitest";
import { PackIndex } from "../src/index.ts";

describe.each<ObjectFormat>(["sha1", "sha256"])("index files of git in %s", (format) => {
  it.each(["1", "2", "2,0x40"])("of version %s say what git reads in them", async (version) => {
    const repository = await createTestRepository({ objectFormat: format });
    for (let i = 0; i < 12; i++) await repository.commit(`commit ${i}`);
    await repository.git("repack", "-adq");
    const [pack = ""] = execFileSync(
      "find",
      [join(repository.gitDirectory, "objects/pack"), "-name", "*.pack"],
      { encoding: "latin1" },
    ).split("\n");
    const path = join(temporaryDirectory("index"), "some.idx");
    await repository.git("index-pack", `--index-version=${version}`, "-o", path, pack);
    const bytes = readFileSync(path);
    const shown = execFileSync("git", ["show-index", `--object-format=${format}`], {
      input: bytes,
      env: gitEnvironment(),
      encoding: "latin1",
    });
    const index = new PackIndex(bytes, format);
    expect(index.version).toBe(version === "1" ? 1 : 2);
    const ours = Array.from({ length: index.count }, (_, position) => {
      const crc = index.crc32(position);
      const end = crc === undefined ? "" : ` (${crc.toString(16).padStart(8, "0")})`;
      return `${index.offset(position)} ${index.id(position)}${end}\n`;
    });
    expect(ours.join("")).toBe(shown);
  });
});
