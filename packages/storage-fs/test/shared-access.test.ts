import { describe, expect, it } from "vitest";
import { parseSharedAccess, sharedMode } from "../src/disk/shared-access.ts";

const GROUP = { bits: 0o660, isExact: false };
const EVERYBODY = { bits: 0o664, isExact: false };

describe("core.sharedRepository", () => {
  it.each([
    [undefined, undefined],
    ["umask", undefined],
    ["", undefined],
    ["0", undefined],
    ["false", undefined],
    ["no", undefined],
    ["group", GROUP],
    ["true", GROUP],
    ["1", GROUP],
    ["yes", GROUP],
    ["all", EVERYBODY],
    ["world", EVERYBODY],
    ["everybody", EVERYBODY],
    ["2", EVERYBODY],
    ["0640", { bits: 0o640, isExact: true }],
    ["0777", { bits: 0o666, isExact: true }],
  ])("%s", (value, access) => {
    expect(parseSharedAccess(value)).toEqual(access);
  });

  it.each(["0440", "3", "maybe", "0888"])("refuses %s", (value) => {
    expect(() => parseSharedAccess(value)).toThrow(
      expect.objectContaining({ code: "storage-fs/bad-config" }),
    );
  });

  it.each([
    [0o600, false, GROUP, 0o660],
    [0o400, false, GROUP, 0o440],
    [0o400, false, EVERYBODY, 0o444],
    [0o700, false, GROUP, 0o770],
    [0o700, true, GROUP, 0o2770],
    [0o755, true, EVERYBODY, 0o2775],
    [0o755, true, { bits: 0o600, isExact: true }, 0o700],
    [0o666, false, { bits: 0o640, isExact: true }, 0o640],
  ])("makes of %o (a directory: %s) with %o the mode %o", (mode, isDirectory, access, wanted) => {
    expect(sharedMode(mode, isDirectory, access)).toBe(wanted);
  });
});
