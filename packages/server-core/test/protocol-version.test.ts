import { expect, it } from "vitest";
import { protocolVersion } from "../src/index.ts";

it.each([
  ["version=2", 2],
  ["version=1", 1],
  ["version=0", 0],
  ["", 0],
  [undefined, 0],
  [null, 0],
  ["version=1:version=2", 2],
  ["version=2:version=1", 2],
  ["foo:bar=1:version=2:baz", 2],
  ["version=3", 0],
  ["version=3:version=1", 1],
  ["version=", 0],
  ["version=02", 0],
  ["version=2 ", 0],
  ["VERSION=2", 0],
  ["xversion=2", 0],
] as const)("%j asks for version %i", (text, version) => {
  expect(protocolVersion(text)).toBe(version);
});
