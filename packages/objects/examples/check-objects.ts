import { strict as assert } from "node:assert";
import { createFsck, fsckLines, hashObject, objectIdToBytes, relaxedFsckSeverities } from "@x/objects";

const commit = new TextEncoder().encode(
  `tree ${"1".repeat(40)}\nauthor A <a@example.com> 1 -700\ncommitter A <a@example.com> 1 -0700\n\nOld.\n`,
);
const id = hashObject("sha1", "commit", commit);

const [finding] = createFsck({ format: "sha1" }).check("commit", objectIdToBytes(id), commit);
assert.equal(finding?.refusal, "fsck error in packed object");
assert.deepEqual(finding && fsckLines(finding), [
  `error: object ${id}: badTimezone: invalid author/committer line - bad time zone`,
]);

// The same, of a history that nobody will rewrite any more.
const relaxed = createFsck({ format: "sha1", severities: relaxedFsckSeverities });
assert.equal(relaxed.check("commit", objectIdToBytes(id), commit)[0]?.severity, "warn");
