import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { ownProcessName } from "../src/journal/process-name.ts";
import { sweepObjects } from "../src/journal/sweep-objects.ts";
import { publishPacks } from "../src/quarantine/publish.ts";
import { deadProcessName, withField } from "./dead-process.ts";

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
    const { release } = await publishPacks(from, `${there}/objects`);
    expect(readFileSync(`${packs}/${pack}.keep`, "utf8")).toMatch(/^receive-pack \d+ on .+\n[0-9a-f.]+\n$/);
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
    await (await publishPacks(from, `${there}/objects`)).release();
    expect(readFileSync(`${packs}/${pack}.keep`, "utf8")).toBe("for good\n");
  });

  it("guards a pack until the last push that brings it is done", async () => {
    const { from, there, packs, pack } = await incoming();
    const [first, second] = await Promise.all([
      publishPacks(from, `${there}/objects`),
      publishPacks(from, `${there}/objects`),
    ]);
    await first.release();
    await first.release();
    expect(existsSync(`${packs}/${pack}.keep`)).toBe(true);
    await second.release();
    expect(existsSync(`${packs}/${pack}.keep`)).toBe(false);
  });

  it("guards a pack also when another process does, whoever is done first", async () => {
    const { from, there, packs, pack } = await incoming();
    mkdirSync(packs, { recursive: true });
    const keep = `${packs}/${pack}.keep`;
    const other = `receive-pack 1 on x\n${withField(await ownProcessName(), "pid", "1")}\n`;
    writeFileSync(keep, other);
    const { release } = await publishPacks(from, `${there}/objects`);
    expect(readFileSync(keep, "utf8")).not.toBe(other);
    await release();
    expect(existsSync(keep)).toBe(false);
    const again = await publishPacks(from, `${there}/objects`);
    writeFileSync(keep, other); // the other came after us
    await again.release();
    expect(readFileSync(keep, "utf8")).toBe(other);
  });
});

describe("sweeping", () => {
  it("removes incoming objects and guards of dead processes, and no others", async () => {
    const { from, there, packs, pack } = await incoming();
    const [own, dead] = [await ownProcessName(), await deadProcessName()];
    const objects = `${there}/objects`;
    for (const owner of [own, dead]) {
      mkdirSync(`${objects}/tmp_objdir-incoming-${owner}-abcdef/pack`, { recursive: true });
      writeFileSync(`${packs}/pack-${owner}.keep`, `receive-pack 1 on x\n${owner}\n`);
      writeFileSync(`${packs}/tmp_idx-${owner}-abcdef`, "");
    }
    mkdirSync(`${objects}/tmp_objdir-incoming-Ab3dEf`);
    writeFileSync(`${packs}/pack-user.keep`, "");
    writeFileSync(`${packs}/pack-git.keep`, "receive-pack 1 on x\n");
    await publishPacks(from, objects);
    writeFileSync(`${packs}/${pack}.keep`, `receive-pack 1 on x\n${dead}\n`);
    await sweepObjects(objects, undefined);
    expect(readdirSync(objects).filter((name) => name.startsWith("tmp_"))).toEqual(
      ["tmp_objdir-incoming-Ab3dEf", `tmp_objdir-incoming-${own}-abcdef`].sort(),
    );
    expect(readdirSync(packs).filter((name) => name.endsWith(".keep"))).toEqual(
      [`pack-${own}.keep`, "pack-git.keep", "pack-user.keep"].sort(),
    );
    expect(readdirSync(packs)).toContain(`${pack}.pack`);
    expect(readdirSync(packs).filter((name) => name.startsWith("tmp_"))).toEqual([`tmp_idx-${own}-abcdef`]);
  });

  it("removes a pack that never got its index, after a while", async () => {
    const { from, there, packs, pack } = await incoming();
    await publishPacks(from, `${there}/objects`);
    rmSync(`${packs}/${pack}.idx`);
    writeFileSync(`${packs}/${pack}.keep`, `receive-pack 1 on x\n${await deadProcessName()}\n`);
    const left = () => readdirSync(packs).filter((name) => name.startsWith(pack));
    await sweepObjects(`${there}/objects`, undefined);
    expect(left()).toEqual(expect.arrayContaining([`${pack}.keep`, `${pack}.pack`]));
    const longAgo = new Date(Date.now() - 7_200_000);
    utimesSync(`${packs}/${pack}.pack`, longAgo, longAgo);
    await sweepObjects(`${there}/objects`, undefined);
    expect(left()).toEqual([]);
  });
});
