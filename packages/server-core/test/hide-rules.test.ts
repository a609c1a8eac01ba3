import { describe, expect, it } from "vitest";
import { readHideRules } from "../src/visible/hide-rules.ts";
import { MemoryRepository } from "./memory-repository.ts";

type Setting = readonly [key: string, value: string];

function hides(settings: readonly Setting[], name: string | undefined, fullName = name ?? ""): boolean {
  const repository = new MemoryRepository();
  for (const [key, value] of settings) repository.configure(key, value);
  return readHideRules(repository.config, "uploadpack").isHidden(name, fullName);
}

const transfer = (...values: string[]): Setting[] => values.map((value) => ["transfer.hideRefs", value]);

describe("hideRefs", () => {
  it.each([
    ["refs/hidden", "refs/hidden", true],
    ["refs/hidden", "refs/hidden/a/b", true],
    ["refs/hidden", "refs/hiddenx", false],
    ["refs/hidden", "refs/hid", false],
    ["refs/hidden//", "refs/hidden/a", true],
    ["refs/hidden/", "refs/hidden", true],
    ["refs/hid", "refs/hidden", false],
    ["hidden", "refs/hidden", false],
    ["", "refs/heads/main", false],
    ["/", "refs/heads/main", false],
    ["refs", "HEAD", false],
    ["HEAD", "HEAD", true],
    ["REFS/HIDDEN", "refs/hidden", false],
  ])("%j on %j: %j", (rule, name, hidden) => {
    expect(hides(transfer(rule), name)).toBe(hidden);
  });

  it("lets the last rule that fits decide, whichever section it stands in", () => {
    const rules = transfer("refs/tags", "!refs/tags/magic", "refs/tags/magic/one");
    expect(hides(rules, "refs/tags/x")).toBe(true);
    expect(hides(rules, "refs/tags/magic/two")).toBe(false);
    expect(hides(rules, "refs/tags/magic/one")).toBe(true);
    expect(hides(transfer("!refs/tags/magic", "refs/tags"), "refs/tags/magic/two")).toBe(true);
    const mixed: Setting[] = [["uploadpack.hideRefs", "refs/tags"], ...transfer("!refs/tags/magic")];
    expect(hides(mixed, "refs/tags/magic")).toBe(false);
    expect(hides([...mixed].reverse(), "refs/tags/magic")).toBe(true);
  });

  it("passes over the rules of the other service", () => {
    expect(hides([["receive.hideRefs", "refs/tags"]], "refs/tags/x")).toBe(false);
  });

  it("matches stored names after ^, and knows `!^` but not `^!`", () => {
    const full = "refs/namespaces/a/refs/heads/x";
    expect(hides(transfer(`^${full}`), "refs/heads/x", full)).toBe(true);
    expect(hides(transfer(full), "refs/heads/x", full)).toBe(false);
    expect(hides(transfer("refs/heads", `!^${full}`), "refs/heads/x", full)).toBe(false);
    expect(hides(transfer("refs/heads", `^!${full}`), "refs/heads/x", full)).toBe(true);
    expect(hides(transfer("^refs/heads"), undefined, "refs/heads/x")).toBe(true);
    expect(hides(transfer("refs/heads"), undefined, "refs/heads/x")).toBe(false);
  });

  it("keeps each key's order where the settings' own cannot be told", () => {
    const values = new Map([
      ["transfer.hiderefs", ["refs/a", "!refs/b"]],
      ["uploadpack.hiderefs", ["refs/b", "!refs/a/x"]],
    ]);
    const getAll = (key: string) => values.get(key) ?? [];
    const { isHidden } = readHideRules({ get: () => undefined, getAll }, "uploadpack");
    expect(["refs/a", "refs/a/x", "refs/b"].map((name) => isHidden(name, name))).toEqual([true, false, true]);
  });
});
