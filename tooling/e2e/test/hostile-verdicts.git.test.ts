import { temporaryDirectory } from "@tooling/test-kit";
import type { ObjectFormat } from "@x/objects";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basics } from "../../../packages/pack/test/case-objects.ts";
import {
  appending,
  bytesOf,
  ofsDelta,
  packOf,
  refDelta,
  resealed,
} from "../../../packages/pack/test/pack-builder.ts";
import { packCases } from "../../../packages/pack/test/pack-cases.ts";
import { expectSound, leftoversIn } from "./compare.ts";
import { emptyWithStored, PackCourt } from "./pack-verdicts.ts";

/** `DRILL=full` asks for all of it, which takes minutes. */
const FULL = process.env.DRILL === "full";

describe.each<ObjectFormat>(["sha1", "sha256"])("packs of %s", (format) => {
  let court: PackCourt;
  beforeAll(async () => {
    court = await PackCourt.open(format);
  });
  afterAll(() => court.close());

  it("with a name are taken and refused as by git index-pack --strict", async () => {
    const all = packCases(format).filter(({ isLarge }) => FULL || !isLarge);
    // Where it is not all, every fourth, starting elsewhere for each hash, and what objects say of each other.
    const cases = all.filter(
      ({ name }, i) =>
        FULL || i % 4 === (format === "sha1" ? 0 : 1) || /^a tag of .* (?:comes|here)$/.test(name),
    );
    const packs = cases.map(({ make }) => make());
    const theirs = court.git(packs);
    const other: string[] = [];
    let slowest = { name: "", ms: 0 };
    for (const [i, { name, differs }] of cases.entries()) {
      const { accepted, reason, ms } = await court.ours(packs[i] as Uint8Array);
      if (ms > slowest.ms) slowest = { name, ms };
      if ((accepted === theirs[i]) === (differs !== undefined))
        other.push(
          `${name}: ${accepted ? "we take it" : `we refuse it: ${reason}`}; git ${theirs[i] ? "takes" : "refuses"} it`,
        );
    }
    if (FULL) console.log(`${cases.length} packs, slowest: ${slowest.name}, ${Math.round(slowest.ms)} ms`);
    expect(other).toEqual([]);
    expect(leftoversIn(court.directory)).toEqual([]);
  }, 600_000);

  it("cut short at each byte are refused, and with a bit turned over as by git", async () => {
    const { base, other, tree, commit, tag, baseSize, baseId, storedId, storedData } = basics(format);
    const more = appending(baseSize, bytesOf("more\n"));
    const seeds = [
      packOf([commit, tree, base, other, tag], { format }),
      packOf([base, ofsDelta(base.length, more), refDelta(baseId, appending(baseSize, bytesOf("x")))], {
        format,
      }),
      packOf([refDelta(storedId, appending(storedData.length, bytesOf("more\n"))), tree, base, other], {
        format,
      }),
    ];
    const kept = `${temporaryDirectory("kept")}/r.git`;
    await emptyWithStored(kept, format);
    const [counts, contested] = [{ cuts: 0, flips: 0, taken: 0 }, [] as string[]];
    for (const [s, seed] of seeds.entries()) {
      expect((await court.ours(seed)).accepted, `seed ${s}`).toBe(true);
      for (let end = 0; end < seed.length; end += FULL ? 1 : 29) {
        expect((await court.ours(seed.subarray(0, end))).accepted, `seed ${s} up to ${end}`).toBe(false);
        counts.cuts++;
      }
      const flips: { readonly bit: number; readonly pack: Uint8Array }[] = [];
      const end = (seed.length - basics(format).baseId.length) * 8;
      for (let bit = s; bit < end; bit += FULL ? 1 : 61) {
        const pack = Uint8Array.from(seed);
        pack[bit >> 3] = (pack[bit >> 3] as number) ^ (1 << (bit & 7));
        expect((await court.ours(pack)).accepted, `seed ${s} bit ${bit}, unsealed`).toBe(false);
        flips.push({ bit, pack: resealed(pack, format) });
      }
      const theirs = court.git(flips.map(({ pack }) => pack));
      for (const [i, { bit, pack }] of flips.entries()) {
        const { accepted, reason } = await court.ours(pack);
        // What was kept before is there for what comes later, so that others are taken there.
        if (accepted)
          expect((await court.ours(pack, kept)).accepted, `seed ${s} bit ${bit}, kept`).toBe(true);
        if (accepted !== theirs[i])
          contested.push(`seed ${s} bit ${bit}: ${accepted ? "we take it" : reason}`);
        counts.flips++;
        if (accepted) counts.taken++;
      }
    }
    if (FULL)
      console.log(
        `${counts.cuts} cut, ${counts.flips} with a bit turned over, ${counts.taken} of these taken`,
      );
    expect(contested).toEqual([]);
    await expectSound(kept);
  }, 900_000);
});
