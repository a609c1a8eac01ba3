import { describe, expect, it } from "vitest";
import { isLoopback } from "../src/args.ts";

describe("command line values", () => {
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
