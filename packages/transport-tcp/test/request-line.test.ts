import { describe, expect, it } from "vitest";
import { formatRequestLine, parseRequestLine, type RequestLine, TransportTcpError } from "../src/index.ts";
import { randomNumbers } from "./wire.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string) => parseRequestLine(bytes(text));

describe("parseRequestLine", () => {
  it("reads what stock git sends", () => {
    // Captured from git 2.39.5: clone git://127.0.0.1:9418/demo.git, with protocol.version 0, 1 and 2.
    expect(parse("git-upload-pack /demo.git\0host=127.0.0.1:9418\0")).toEqual({
      service: "git-upload-pack",
      path: "/demo.git",
      host: "127.0.0.1",
      port: 9418,
      parameters: [],
    });
    expect(parse("git-upload-pack /demo.git\0host=localhost\0\0version=2\0")).toEqual({
      service: "git-upload-pack",
      path: "/demo.git",
      host: "localhost",
      parameters: ["version=2"],
    });
  });

  it.each<[string, Partial<RequestLine>]>([
    ["git-upload-pack /a", { path: "/a", parameters: [] }],
    ["git-upload-pack /a\n", { path: "/a" }],
    ["git-upload-pack /a\0", { path: "/a" }],
    ["git-upload-pack /a\n\0host=h\0", { path: "/a", host: "h" }],
    ["git-upload-pack /a b  c\0", { path: "/a b  c" }],
    ["git-upload-pack ~u/x\0", { path: "~u/x" }],
    ["git-upload-pack /ä\u{1f600}\0", { path: "/ä\u{1f600}" }],
    ["git-upload-archive /a\0", { service: "git-upload-archive" }],
    ["git-upload-pack /a\0host=\0", { host: "" }],
    ["git-upload-pack /a\0host=h", { host: "h" }],
    ["git-upload-pack /a\0host=[::1]:80\0", { host: "[::1]", port: 80 }],
    ["git-upload-pack /a\0host=[::1]\0", { host: "[::1]" }],
    ["git-upload-pack /a\0\0version=1\0", { parameters: ["version=1"] }],
    ["git-upload-pack /a\0\0version=1", { parameters: ["version=1"] }],
    ["git-upload-pack /a\0host=h\0\0version=2\0x\0y=\0", { parameters: ["version=2", "x", "y="] }],
    ["git-upload-pack /a\0host=h\0\0\0version=2\0\0", { parameters: ["version=2"] }],
  ])("reads %j", (text, expected) => {
    expect(parse(text)).toMatchObject(expected);
  });

  it.each([
    ["nothing", ""],
    ["a lone line feed", "\n"],
    ["another protocol", "GET / HTTP/1.0\r\n\r\n"],
    ["no path", "git-upload-pack"],
    ["an empty path", "git-upload-pack "],
    ["a path that is a line feed", "git-upload-pack \n"],
    ["another case", "GIT-UPLOAD-PACK /a"],
    ["no git- before the service", "upload-pack /a"],
    ["a service with an option", "git-upload-pack--x /a"],
    ["a leading space", " git-upload-pack /a"],
    ["a line feed in the path", "git-upload-pack /a\n/b\0"],
    ["two line feeds", "git-upload-pack /a\n\n"],
    ["a carriage return", "git-upload-pack /a\r\n"],
    ["an escape character", "git-upload-pack /\u001b[2J\0"],
    ["a C1 control character", "git-upload-pack /\u0085\0"],
    ["parameters where the host belongs", "git-upload-pack /a\0version=2\0"],
    ["parameters right behind the host", "git-upload-pack /a\0host=h\0version=2\0"],
    ["a port that is no number", "git-upload-pack /a\0host=h:+1\0"],
    ["a port too high", "git-upload-pack /a\0host=h:65536\0"],
    ["a host with two ports", "git-upload-pack /a\0host=h:1:2\0"],
    ["a line feed in the host", "git-upload-pack /a\0host=h\n\0"],
    ["a line feed in a parameter", "git-upload-pack /a\0host=h\0\0version=2\n\0"],
  ])("refuses %s", (_, text) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ name: "TransportTcpError", code: "transport-tcp/bad-request-line" }),
    );
  });

  it.each([
    ["a lone byte above 127", [0xff]],
    ["an overlong dot", [0xc0, 0xae]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
  ])("refuses %s: it is not UTF-8", (_, tail) => {
    expect(() => parseRequestLine(Uint8Array.of(...bytes("git-upload-pack /"), ...tail))).toThrow(
      TransportTcpError,
    );
  });

  it("keeps a byte order mark: dropping it would make two names one", () => {
    expect(parse("git-upload-pack /\ufeffa").path).toBe("/\ufeffa");
  });

  it("never throws anything else, and never hangs", () => {
    const random = randomNumbers(7);
    const sample = bytes("git-upload-pack /demo.git\0host=127.0.0.1:9418\0\0version=2\0");
    for (let round = 0; round < 20_000; round++) {
      const mutant = sample.slice(0, random(sample.length + 1));
      for (let i = random(4); i > 0 && mutant.length > 0; i--) mutant[random(mutant.length)] = random(256);
      try {
        const line = parseRequestLine(mutant);
        expect(parseRequestLine(formatRequestLine(line))).toEqual(line);
      } catch (error) {
        if (!(error instanceof TransportTcpError)) throw error;
      }
    }
  });
});

describe("formatRequestLine", () => {
  it.each<[RequestLine, string]>([
    [{ service: "git-upload-pack", path: "/a", parameters: [] }, "git-upload-pack /a\0"],
    [{ service: "git-upload-pack", path: "/a", host: "h", parameters: [] }, "git-upload-pack /a\0host=h\0"],
    [
      { service: "git-receive-pack", path: "/ä", host: "[::1]", port: 1, parameters: ["version=2", "x"] },
      "git-receive-pack /ä\0host=[::1]:1\0\0version=2\0x\0",
    ],
    [
      { service: "git-upload-pack", path: "/a", parameters: ["version=1"] },
      "git-upload-pack /a\0\0version=1\0",
    ],
  ])("writes %j, and reads it again", (line, text) => {
    expect(new TextDecoder().decode(formatRequestLine(line))).toBe(text);
    expect(parseRequestLine(formatRequestLine(line))).toEqual(line);
  });

  it.each<Partial<RequestLine>>([
    { path: "/a\0host=x" },
    { path: "/a\n/b" },
    { service: "sh -c" },
    { host: "a b:c" },
    { parameters: ["a\nb"] },
  ])("does not write %j", (part) => {
    const line = { service: "git-upload-pack", path: "/a", parameters: [], ...part };
    expect(() => formatRequestLine(line)).toThrow(TransportTcpError);
  });
});
