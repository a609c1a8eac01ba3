import { describe, expect, it } from "vitest";
import { createLogger, formatLine } from "../src/serve/log.ts";
import { FakeTerminal } from "./terminal.ts";

const REQUEST = {
  bytesOut: 456,
  peer: "127.0.0.1",
  transport: "http",
  service: "git-upload-pack",
  repository: "/demo.git",
  version: 2,
  outcome: "ok",
  ms: 12,
};

describe("formatLine", () => {
  it("puts a request's fields in their order, and what else is known behind", () => {
    expect(formatLine("info", REQUEST, "request")).toBe(
      "127.0.0.1 http git-upload-pack /demo.git v2 ok 12ms bytesOut=456",
    );
  });

  it("has a dash for what is not known", () => {
    expect(formatLine("info", { outcome: "refused", reason: undefined, status: 404 }, "request")).toBe(
      "- - - - - refused - status=404",
    );
  });

  it.each([
    ["/a b", '"/a b"'],
    ["/a\nfatal: x", '"/a\\\\x0afatal: x"'],
    ["\u001b[2J", '"\\\\x1b[2J"'],
    ['"', '"\\""'],
    ["\u2028\u202e", '"\\\\u2028\\\\u202e"'],
    ["", '""'],
    ["/ä", "/ä"],
  ])("cannot be made to write another line, or to paint: %j", (repository, shown) => {
    expect(formatLine("info", { ...REQUEST, repository }, "request").split(" git-upload-pack ")[1]).toBe(
      `${shown} v2 ok 12ms bytesOut=456`,
    );
  });

  it("names the level of other messages", () => {
    expect(formatLine("warn", { ref: "refs/heads/x", n: 1, list: [1] }, "broken ref passed over")).toBe(
      "warn: broken ref passed over ref=refs/heads/x n=1 list=[1]",
    );
  });

  it("shows an error with its stack on one line", () => {
    const line = formatLine("error", { error: new Error("why\nnot") }, "it broke");
    expect(line).toMatch(/^error: it broke error="Error: why\\\\x0anot\\\\x0a {4}at /);
    expect(line).not.toContain("\n");
  });
});

describe("createLogger", () => {
  const now = () => new Date("2026-01-02T03:04:05.678Z");
  const lines = (level: "error" | "warn" | "info" | "debug", colors = false) => {
    const terminal = new FakeTerminal();
    const logger = createLogger(terminal.stderr, { level: () => level, colors, now });
    for (const at of ["debug", "info", "warn", "error"] as const) logger[at]({}, "x");
    return terminal.err;
  };

  it("tells as much as it was asked to", () => {
    const at = "2026-01-02T03:04:05.678Z";
    expect(lines("error")).toBe(`${at} error: x\n`);
    expect(lines("warn")).toBe(`${at} warn: x\n${at} error: x\n`);
    expect(lines("info")).toBe(`${at} info: x\n${at} warn: x\n${at} error: x\n`);
    expect(lines("debug").split("\n")).toHaveLength(5);
  });

  it("paints for a terminal", () => {
    const at = "\u001b[2m2026-01-02T03:04:05.678Z\u001b[0m";
    expect(lines("info", true)).toBe(
      `${at} info: x\n${at} \u001b[33mwarn: x\u001b[0m\n${at} \u001b[31merror: x\u001b[0m\n`,
    );
  });
});
