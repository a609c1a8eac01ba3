import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { noise } from "../src/sample/git-object.ts";
import { zlibStored } from "../src/sample/zlib-stored.ts";

describe("zlibStored", () => {
  it.each([0, 1, 65_535, 65_536, 200_000])("makes a stream of %i bytes that zlib reads", (length) => {
    const data = noise(length);
    expect(new Uint8Array(inflateSync(zlibStored(data)))).toEqual(data);
  });
});
