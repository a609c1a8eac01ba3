import { createTestRepository, git } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { hashObject } from "../src/hasher.ts";

describe.each(["sha1", "sha256"] as const)("hashObject beside git hash-object, %s", (objectFormat) => {
  it("gives the same ids", async () => {
    const { directory } = await createTestRepository({ objectFormat });
    for (const data of ["", "x", "hello\n", "\0\xff\n", "y".repeat(70_000)]) {
      const bytes = Buffer.from(data, "latin1");
      const theirs = await git(["hash-object", "--stdin"], { cwd: directory, input: bytes });
      expect(hashObject(objectFormat, "blob", bytes)).toBe(theirs);
    }
  });
});
