import { type ObjectFilter, type ObjectId, parseObjectId } from "@x/objects";
import { describe, expect, it } from "vitest";
import { ServiceError } from "../src/errors.ts";
import { parseFilterSpec } from "../src/fetch/filter-spec.ts";

const LIMITS = { maxFilterDepth: 8, maxFilters: 16 };
const ID = "0123456789abcdef0123456789abcdef01234567";
const parse = (spec: string) => parseFilterSpec(spec, "sha1", LIMITS);

function refusalOf(spec: string): string {
  try {
    parse(spec);
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError);
    expect((error as ServiceError).code).toBe("server-core/refused");
    return (error as ServiceError).message;
  }
  throw new Error(`${spec} was taken`);
}

describe("a filter", () => {
  it.each<[string, ObjectFilter]>([
    ["blob:none", { kind: "blob-none" }],
    ["blob:limit=0", { kind: "blob-limit", limitBytes: 0 }],
    ["blob:limit=100", { kind: "blob-limit", limitBytes: 100 }],
    ["blob:limit=1k", { kind: "blob-limit", limitBytes: 1024 }],
    ["blob:limit=3M", { kind: "blob-limit", limitBytes: 3 * 1024 ** 2 }],
    ["blob:limit=2g", { kind: "blob-limit", limitBytes: 2 * 1024 ** 3 }],
    ["blob:limit=0x10", { kind: "blob-limit", limitBytes: 16 }],
    ["blob:limit=010", { kind: "blob-limit", limitBytes: 8 }],
    ["blob:limit=18446744073709551615", { kind: "blob-limit", limitBytes: Number.MAX_SAFE_INTEGER }],
    ["tree:0", { kind: "tree-depth", depth: 0 }],
    ["tree:1k", { kind: "tree-depth", depth: 1024 }],
    ["object:type=commit", { kind: "object-type", type: "commit" }],
    ["object:type=tag", { kind: "object-type", type: "tag" }],
    [`sparse:oid=${ID}`, { kind: "sparse", patterns: parseObjectId(ID, "sha1") as ObjectId }],
    [`sparse:oid=${ID.toUpperCase()}`, { kind: "sparse", patterns: parseObjectId(ID, "sha1") as ObjectId }],
    ["combine:blob:none", { kind: "combine", filters: [{ kind: "blob-none" }] }],
    ["combine:+", { kind: "combine", filters: [] }],
    [
      "combine:tree%3a2++blob:limit=1%6B",
      {
        kind: "combine",
        filters: [
          { kind: "tree-depth", depth: 2 },
          { kind: "blob-limit", limitBytes: 1024 },
        ],
      },
    ],
    [
      "combine:combine:tree:1%2Btree:2+blob:none",
      {
        kind: "combine",
        filters: [
          {
            kind: "combine",
            filters: [
              { kind: "tree-depth", depth: 1 },
              { kind: "tree-depth", depth: 2 },
            ],
          },
          { kind: "blob-none" },
        ],
      },
    ],
  ])("%s is read", (spec, filter) => {
    expect(parse(spec)).toEqual(filter);
  });

  // Git's own words: D5 of the table of bad input, and more of the kind.
  it.each([
    ["bogus:x", "invalid filter-spec 'bogus:x'"],
    ["", "invalid filter-spec ''"],
    ["blob", "invalid filter-spec 'blob'"],
    ["blob:none ", "invalid filter-spec 'blob:none '"],
    ["blob:limit", "invalid filter-spec 'blob:limit'"],
    ["blob:limit=", "invalid filter-spec 'blob:limit='"],
    ["blob:limit=-1", "invalid filter-spec 'blob:limit=-1'"],
    ["blob:limit=1t", "invalid filter-spec 'blob:limit=1t'"],
    ["blob:limit=1kk", "invalid filter-spec 'blob:limit=1kk'"],
    ["blob:limit=1.5k", "invalid filter-spec 'blob:limit=1.5k'"],
    ["blob:limit=08", "invalid filter-spec 'blob:limit=08'"],
    ["blob:limit=99999999999999999999", "invalid filter-spec 'blob:limit=99999999999999999999'"],
    ["blob:limit=18446744073709551616", "invalid filter-spec 'blob:limit=18446744073709551616'"],
    ["blob:limit=18014398509481984k", "invalid filter-spec 'blob:limit=18014398509481984k'"],
    ["tree:-1", "expected 'tree:<depth>'"],
    ["tree:", "expected 'tree:<depth>'"],
    ["tree:x", "expected 'tree:<depth>'"],
    ["object:type=", "'' for 'object:type=<type>' is not a valid object type"],
    ["object:type=Blob", "'Blob' for 'object:type=<type>' is not a valid object type"],
    ["object:size=3", "invalid filter-spec 'object:size=3'"],
    ["sparse:path=", "sparse:path filters support has been dropped"],
    ["sparse:path=a", "sparse:path filters support has been dropped"],
    ["sparse:x", "invalid filter-spec 'sparse:x'"],
    ["auto", "'auto' filter not supported by this command"],
    ["combine:", "expected something after combine:"],
    ["combine:tree:1+bogus", "invalid filter-spec 'bogus'"],
    ["combine:blob:none+~", "must escape char in sub-filter-spec: '~'"],
    ["combine:blob:none+sp ace", "must escape char in sub-filter-spec: ' '"],
    ["combine:blob:none+\xe9", "must escape char in sub-filter-spec: '?'"],
    ["combine:sparse:oid=a%3fb", "unable to access sparse blob in 'a?b'"],
    // D7: no name, no path, no expression, and not a part of an id
    ["sparse:oid=HEAD:f", "unable to access sparse blob in 'HEAD:f'"],
    [`sparse:oid=${ID.slice(1)}`, `unable to access sparse blob in '${ID.slice(1)}'`],
    ["bo\0g\nus", "invalid filter-spec 'bo?g?us'"],
  ])("%s is refused", (spec, words) => {
    expect(refusalOf(spec)).toBe(words);
  });

  it("names a file of patterns as long as the repository's ids are", () => {
    const long = ID.slice(0, 32).repeat(2);
    const parseLong = (spec: string) => parseFilterSpec(spec, "sha256", LIMITS);
    expect(parseLong(`sparse:oid=${long}`)).toEqual({ kind: "sparse", patterns: long });
    expect(() => parseLong(`sparse:oid=${ID}`)).toThrow(`unable to access sparse blob in '${ID}'`);
    expect(refusalOf(`sparse:oid=${long}`)).toBe(`unable to access sparse blob in '${long}'`);
  });

  it("D6: is refused when it is nested too deep, or has too many parts", () => {
    const nested = (depth: number): string => `${"combine:".repeat(depth)}blob:none`;
    expect(parse(nested(8))).toMatchObject({ kind: "combine" });
    expect(refusalOf(nested(9))).toBe("the filter is nested deeper than maxFilterDepth (8)");
    expect(refusalOf(nested(5000))).toBe("the filter is nested deeper than maxFilterDepth (8)");
    const parts = (count: number) => `combine:${Array(count).fill("tree:1").join("+")}`;
    expect(parse(parts(15))).toMatchObject({ kind: "combine" });
    expect(refusalOf(parts(16))).toBe("the filter has more parts than maxFilters (16)");
    expect(refusalOf(parts(8000))).toBe("the filter has more parts than maxFilters (16)");
  });
});
