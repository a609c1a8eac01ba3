import { readFileSync } from "node:fs";
import { describeReadme } from "@tooling/test-kit";
import { expect, test } from "vitest";

const directory = new URL("..", import.meta.url).pathname;

describeReadme(directory);

test("the script in the README is the one that is tested", () => {
  const [, file = "", code] =
    /<!-- script: (\S+) -->\n```sh\n([\s\S]*?)```/.exec(readFileSync(`${directory}/README.md`, "utf8")) ?? [];
  expect(readFileSync(`${directory}/${file}`, "utf8")).toBe(code);
});
