import { describe, expect, it } from "vitest";
import { createFsck, type FsckFinding, fsckLevels, hashObject, objectIdToBytes } from "../src/index.ts";
import { latin1 } from "./fsck-samples.ts";
import { FSCK_CASES } from "./fsck-table.ts";

/** As the table writes it. */
function shown({ id, severity, message, objectId }: FsckFinding): string {
  if (id === undefined) return `unparsable: ${message.replace(` ${objectId}`, "")}`;
  return `${severity} ${id}: ${message.replace(/(NUL at offset) \d+/, "$1 %")}`;
}

describe.each(["sha1", "sha256"] as const)("what git has against an object, %s", (format) => {
  it.each(FSCK_CASES)("$type: $name", ({ type, text, findings }) => {
    const bytes = latin1(text(format));
    const id = hashObject(format, type, bytes);
    const fsck = createFsck({ format });
    const found = fsck.check(type, objectIdToBytes(id), bytes);
    expect(found.map(shown)).toEqual(findings);
    expect(found.every(({ objectId, objectType }) => objectId === id && objectType === type)).toBe(true);

    // The same in the middle of something else.
    const padded = new Uint8Array(bytes.length + 200).fill(0x0a);
    padded.set(bytes, 100);
    expect(fsck.check(type, objectIdToBytes(id), padded, 100, 100 + bytes.length)).toEqual(found);
  });
});

describe("the table", () => {
  const inTable = FSCK_CASES.flatMap(({ findings }) =>
    findings.map((finding) => /^\w+ (\w+): /.exec(finding)?.[1]),
  );
  const others: readonly RegExp[] = [
    // fsck-blobs.test.ts
    /^git(?:modules|attributes)(?:Blob|Large|LineLength|Missing|Name|Parse|Path|Update|Url)$/,
    // fsck-settings.test.ts
    /^(?:badObjectSha1|badTreeSha1|badType|missingObject|missingTagEntry|missingTree|missingTypeEntry|extraHeaderEntry)$/,
    // about refs
    /Ref|^ref|^badHeadTarget$/,
    // not to be come to
    /^(?:badGpgsig|badHeaderContinuation|emptyName|missingTag|missingType|unknownType)$/,
  ];

  it("has every message that is not elsewhere", () => {
    const missing = Object.keys(fsckLevels).filter(
      (id) => !inTable.includes(id) && !others.some((pattern) => pattern.test(id)),
    );
    expect(missing).toEqual([]);
  });
});
