import { expect, it } from "vitest";
import { configBoolean, configBytes } from "../src/config-value.ts";

const config = (value: string | undefined) => ({ get: () => value, getAll: () => [] });

it.each([
  ["true", true],
  ["Yes", true],
  ["ON", true],
  ["1", true],
  ["-1", true],
  ["010", true],
  ["false", false],
  ["no", false],
  ["Off", false],
  ["0", false],
  ["00", false],
  ["", false],
  ["maybe", undefined],
  ["1.5", undefined],
  [undefined, undefined],
])("%j as a yes or no is %j", (value, expected) => {
  expect(configBoolean(config(value), "a.b")).toBe(expected);
});

it.each([
  ["0", 0],
  ["100", 100],
  ["2k", 2048],
  ["3M", 3 * 1024 * 1024],
  ["1g", 1024 ** 3],
  ["999999999999999g", undefined],
  ["-1", undefined],
  ["1t", undefined],
  ["k", undefined],
  ["0x10", undefined],
  ["", undefined],
  [undefined, undefined],
])("%j as a size is %j", (value, expected) => {
  expect(configBytes(config(value), "a.b")).toBe(expected);
});
