import { describe, expect, it } from "vitest";
import { baseUrl, cloneLine } from "../src/serve/clone-lines.ts";

describe("clone lines", () => {
  it.each([
    [{ scheme: "http", host: "127.0.0.1", port: 8418 }, "http://127.0.0.1:8418"],
    [{ scheme: "git", host: "0.0.0.0", port: 9418 }, "git://localhost:9418"],
    [{ scheme: "http", host: "::", port: 1 }, "http://localhost:1"],
    [{ scheme: "git", host: "::1", port: 1 }, "git://[::1]:1"],
  ] as const)("%j is %s", (address, url) => {
    expect(baseUrl(address)).toBe(url);
  });

  it.each([
    ["demo.git", "demo.git"],
    ["a/b c", "a/b%20c"],
    ["$(id)`x`;'\"!*~\\", "%24%28id%29%60x%60%3B%27%22%21%2a%7e%5C"],
    ["ä", "%C3%A4"],
    ["a\nb", "a%0Ab"],
    ["-x", "-x"],
  ])("%j means nothing to a shell", (name, path) => {
    const line = cloneLine({ scheme: "http", host: "h", port: 1 }, name);
    expect(line).toBe(`git clone http://h:1/${path}`);
  });
});
