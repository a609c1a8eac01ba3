import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { publishPacks } from "../src/publish.ts";

/** A repository, and a pack of a commit that it lacks in a directory like a quarantine's. */
async function incoming() {
  const { directory, ...source } = await createTestRepository();
  await source.commit("known");
  const there = `${temporaryDirectory("there")}/r.git`;
  await git(["clone", "-q", "--bare", directory, there]);
  const tip = await source.commit("new");
  const from = temporaryDirectory("incoming");
  mkdirSync(`${from}/pack`);
  const input = `${tip}\n^${tip}~1\n`;
  const name = await git(["pack-objects", "-q", "--revs", `${from}/pack/pack`], { cwd: directory, input });
  return { from, there, tip, packs: `${there}/objects/pack`, pack: `pack-${name}` };
}

describe("publishing packs", () => {
  it("guards them from repack until it is told that refs lead there", async () => {
    const { from, there, tip, packs, pack } = await incoming();
    const release = await publishPacks(from, `${there}/objects`);
    expect(readFileSync(`${packs}/${pack}.keep`, "utf8")).toMatch(/^receive-pack \d+ on .+\n$/);
    await git(["repack", "-adq"], { cwd: there });
    await git(["update-ref", "refs/heads/pushed", tip], { cwd: there });
    await release();
    expect(readdirSync(packs).filter((file) => file.endsWith(".keep"))).toEqual([]);
    await git(["repack", "-adq"], { cwd: there });
    expect(await git(["fsck", "--strict"], { cwd: there })).toBe("");
    expect(readdirSync(packs).filter((file) => file.endsWith(".pack"))).toHaveLength(1);
  });

  it("leaves a guard that somebody else has set", async () => {
    const { from, there, packs, pack } = await incoming();
    mkdirSync(packs, { recursive: true });
    writeFileSync(`${packs}/${pack}.keep`, "for good\n");
    await (await publishPacks(from, `${there}/objects`))();
    expect(readFileSync(`${packs}/${pack}.keep`, "utf8")).toBe("for good\n");
  });
});
