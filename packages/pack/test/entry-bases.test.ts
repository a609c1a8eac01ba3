import { describe, expect, it } from "vitest";
import { NOT_BY_RANK, WHOLE } from "../src/read/entry-bases.ts";
import { indexSaying, packed } from "./memory-table.ts";
import { readerOf } from "./open-table.ts";
import { bytesOf, copy, delta, ofsDelta, packOf, rawId, refDelta, whole } from "./pack-builder.ts";

const data = bytesOf("a base that others are like");
const same = delta(data.length, data.length, copy(0, data.length));
const base = whole("blob", data);
const id = (name: string) => rawId(bytesOf(name));

describe("the bases of a pack's entries", () => {
  const near = ofsDelta(base.length, same);
  const byId = refDelta(rawId(data), same);
  const far = ofsDelta(near.length + byId.length, same);
  const astray = ofsDelta(far.length + 3, same);
  const pack = packed([
    { id: rawId(data), bytes: base },
    { id: id("near"), bytes: near },
    { id: id("by id"), bytes: byId },
    { id: id("far"), bytes: far },
    { id: id("astray"), bytes: astray },
  ]);

  it("are told in the order of the pack, whatever the order of the ids", () => {
    const bases = [0, 1, 2, 3, 4].map((rank) => pack.bases.of(rank));
    expect(bases).toEqual([WHOLE, 0, NOT_BY_RANK, 1, NOT_BY_RANK]);
  });

  it("are looked up once", () => {
    const { entry } = pack;
    pack.entry = () => {
      throw new Error("asked again");
    };
    expect([4, 1, 0, 3].map((rank) => pack.bases.of(rank))).toEqual([NOT_BY_RANK, 0, WHOLE, 1]);
    pack.entry = entry;
  });
});

it("an entry that cannot be read has no base, however often it is asked", () => {
  const bytes = packOf([base, base]);
  const places = [
    { id: rawId(data), offset: 12 },
    { id: id("beyond"), offset: bytes.length },
  ];
  const { bases } = readerOf(bytes, indexSaying(bytes, places), "sha1");
  for (let i = 0; i < 2; i++)
    expect(() => bases.of(1)).toThrow(expect.objectContaining({ code: "pack/bad-index" }));
  expect(bases.of(0)).toBe(WHOLE);
});
