import { describe, expect, it } from "vitest";
import {
  formatCapabilities,
  formatSymref,
  parseCapabilities,
  parseCapability,
  parseSymref,
  sanitizeAgent,
  splitFirstLine,
  splitWantLine,
} from "../src/index.ts";

describe("capabilities", () => {
  it("keeps repeats, order and the difference between no value and an empty one", () => {
    const list = parseCapabilities(" multi_ack  symref=HEAD:refs/heads/a agent= symref=x:y=z thin-pack");
    expect([...list]).toEqual([
      ["multi_ack", [undefined]],
      ["symref", ["HEAD:refs/heads/a", "x:y=z"]],
      ["agent", [""]],
      ["thin-pack", [undefined]],
    ]);
    expect(formatCapabilities(list)).toBe("multi_ack symref=HEAD:refs/heads/a symref=x:y=z agent= thin-pack");
  });

  it("takes __proto__ for a word like any other", () => {
    expect(parseCapabilities("__proto__=1").get("__proto__")).toEqual(["1"]);
    expect(parseCapabilities("").size).toBe(0);
  });

  it("splits a word at its first equals sign", () => {
    expect(parseCapability("a=b=c")).toEqual({ key: "a", value: "b=c" });
    expect(parseCapability("a")).toEqual({ key: "a", value: undefined });
  });

  it("splits a first line at its first NUL", () => {
    expect(splitFirstLine("x refs/heads/a\0 report-status\0z")).toEqual({
      text: "x refs/heads/a",
      capabilities: " report-status\0z",
    });
    expect(splitFirstLine("x refs/heads/a")).toEqual({ text: "x refs/heads/a", capabilities: undefined });
  });

  it("splits a want line", () => {
    expect(splitWantLine("want abc thin-pack ofs-delta")).toEqual({
      id: "abc",
      capabilities: "thin-pack ofs-delta",
    });
    expect(splitWantLine("want abc")).toEqual({ id: "abc", capabilities: "" });
    expect(splitWantLine("have abc")).toBeUndefined();
  });

  it("makes an agent that cannot break the line", () => {
    expect(sanitizeAgent("x/1 (a\nb\x7f\xff)")).toBe("x/1.(a.b..)");
  });

  it("writes and reads symrefs", () => {
    expect(formatSymref("HEAD", "refs/heads/main")).toBe("symref=HEAD:refs/heads/main");
    expect(parseSymref("HEAD:refs/heads/main")).toEqual({ name: "HEAD", target: "refs/heads/main" });
    expect(parseSymref("HEAD")).toBeUndefined();
  });
});
