import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const BLOCK = /<!-- example: (examples\/[\w.-]+) -->\n```\w*\n([\s\S]*?)```/g;

/**
 * Holds a package's README to its word: each code block marked `<!-- example: examples/NAME -->` is that file to the
 * letter, the file runs , and no unmarked `ts` or `js` block exists.
 */
export function describeReadme(packageDirectory: string): void {
  const readme = readFileSync(join(packageDirectory, "README.md"), "utf8");
  const blocks = [...readme.matchAll(BLOCK)];
  describe("README", () => {
    it("has examples, all of them marked", () => {
      expect(blocks.length).toBeGreaterThan(0);
      expect(readme.match(/```(?:ts|js|typescript|javascript)\n/g)?.length ?? 0).toBe(blocks.length);
    });
    for (const [, file = "", code = ""] of blocks) {
      it(`${file} is what the README shows, and runs`, async () => {
        const path = join(packageDirectory, file);
        expect(readFileSync(path, "utf8").trim()).toBe(code.trim());
        await import(pathToFileURL(path).href);
      });
    }
  });
}
