import { describe, expect, it } from "vitest";
import { collectService, isLoopback, parsePort } from "../src/args.ts";

describe("command line values", () => {
  it.each([
    ["0", 0],
    ["8418", 8418],
    ["65535", 65535],
    ["off", "off"],
  ])("port %s", (text, value) => {
    expect(parsePort(text)).toBe(value);
  });

  it.each(["", "65536", "-1", "+1", "0x10", "1e3", " 1", "OFF", "999999999999"])("no port: %j", (text) => {
    expect(() => parsePort(text)).toThrow("It is a number from 0 to 65535, or off.");
  });

  it("services", () => {
    expect(collectService("git-receive-pack", collectService("receive-pack", []))).toEqual([
      "receive-pack",
      "receive-pack",
    ]);
    expect(() => collectService("upload-archive", [])).toThrow();
  });

  it.each(["127.0.0.1", "127.1.2.3", "::1", "localhost"])("%s is loopback", (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(["0.0.0.0", "::", "10.0.0.1", "127.example.com", "localhost.example.com", "1127.0.0.1", ""])(
    "%s is not",
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});
