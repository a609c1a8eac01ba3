import { describe, expect, it } from "vitest";
import { readWantPolicy } from "../src/visible/want-policy.ts";
import { MemoryRepository } from "./memory-repository.ts";

function policy(settings: readonly string[], filter = false) {
  const repository = new MemoryRepository();
  for (const setting of settings) {
    const [kind, value] = setting.split("=");
    repository.configure(`uploadpack.allow${kind}SHA1InWant`, value);
  }
  const { anything, hiddenTips, reachable, announceTip, announceReachable } = readWantPolicy(
    repository.config,
    filter,
  );
  const words = [
    anything && "any",
    hiddenTips && "hidden",
    reachable.v0 && "v0",
    reachable.v2 && "v2",
    announceTip && "say-tip",
    announceReachable && "say-reachable",
  ];
  return words.filter((word) => word !== false).join(" ");
}

describe("what may be wanted", () => {
  it.each([
    ["", "v0 v2"],
    ["Tip=true", "hidden v2 say-tip"],
    ["Tip=false", "v2"],
    ["Tip", "hidden v2 say-tip"],
    ["Reachable=true", "hidden v0 v2 say-reachable"],
    ["Reachable=false", ""],
    ["Tip=true Reachable=true", "hidden v0 v2 say-tip say-reachable"],
    ["Tip=true Reachable=false", "hidden say-tip"],
    ["Any=true", "any hidden v0 v2 say-tip say-reachable"],
    ["Any=false", ""],
    ["Any=true Tip=false", "hidden v0 v2 say-reachable"],
    ["Tip=true Any=false", ""],
    ["Any=false Tip=true", "hidden say-tip"],
    ["Any=false Reachable=1k", "hidden v0 v2 say-reachable"],
    ["Reachable=true Reachable=0x0", ""],
  ])("%j gives %j", (settings, expected) => {
    expect(policy(settings.split(" ").filter((word) => word !== ""))).toBe(expected);
  });

  it("tells v0 clients of its default where they make partial clones", () => {
    expect(policy([], true)).toBe("v0 v2 say-reachable");
    expect(policy(["Tip=false"], true)).toBe("v2");
  });

  it("does not guess what a setting means", () => {
    expect(() => policy(["Any=perhaps"])).toThrow(
      "bad boolean config value 'perhaps' for 'uploadpack.allowanysha1inwant'",
    );
  });
});
