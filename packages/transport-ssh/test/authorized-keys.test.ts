import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  authenticateByKeys,
  fingerprintOf,
  type KeyOffer,
  parseAuthorizedKeys,
  publicKeyType,
  userOfKey,
} from "../src/index.ts";

/** Strings as SSH writes them. */
function wire(...fields: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const bytes = Buffer.from(field as string);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

const ED25519 = wire("ssh-ed25519", new Uint8Array(32).fill(7));
const line = (blob: Uint8Array, type = "ssh-ed25519") => `${type} ${Buffer.from(blob).toString("base64")}`;

function rsa(bits: number): Buffer {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const modulus = Buffer.from(n, "base64url");
  return wire("ssh-rsa", Buffer.from(e, "base64url"), Buffer.concat([Buffer.from([0]), modulus]));
}

describe("publicKeyType", () => {
  it("knows the kinds that may log in", () => {
    expect(publicKeyType(ED25519)).toBe("ssh-ed25519");
    expect(publicKeyType(rsa(2048))).toBe("ssh-rsa");
    for (const [curve, bytes] of [
      ["nistp256", 65],
      ["nistp384", 97],
      ["nistp521", 133],
    ] as const) {
      const point = new Uint8Array(bytes).fill(1);
      point[0] = 4;
      expect(publicKeyType(wire(`ecdsa-sha2-${curve}`, curve, point))).toBe(`ecdsa-sha2-${curve}`);
      point[0] = 2;
      expect(publicKeyType(wire(`ecdsa-sha2-${curve}`, curve, point))).toBeUndefined();
    }
  });

  it("takes no key that is cut, or has something behind it", () => {
    for (let length = 0; length < ED25519.length; length++)
      expect(publicKeyType(ED25519.subarray(0, length))).toBeUndefined();
    expect(publicKeyType(Buffer.concat([ED25519, Buffer.from([0])]))).toBeUndefined();
    expect(publicKeyType(Buffer.concat([ED25519, wire("x")]))).toBeUndefined();
  });

  it.each([
    ["DSA", wire("ssh-dss", "p", "q", "g", "y")],
    ["a key of another length", wire("ssh-ed25519", new Uint8Array(33))],
    ["a certificate", wire("ssh-ed25519-cert-v01@openssh.com", new Uint8Array(32))],
    ["RSA of 1024 bits", rsa(1024)],
    ["RSA with a negative modulus", wire("ssh-rsa", new Uint8Array([3]), new Uint8Array(256).fill(255))],
    ["RSA with zeros in front", wire("ssh-rsa", new Uint8Array([3]), new Uint8Array(400))],
    ["RSA of 17000 bits", wire("ssh-rsa", new Uint8Array([3]), new Uint8Array(2125).fill(1))],
    ["a length beyond its end", Buffer.from("ffffffff00", "hex")],
    ["another curve", wire("ecdsa-sha2-nistp256", "nistp384", new Uint8Array(65).fill(4))],
  ])("takes no %s", (_, blob) => {
    expect(publicKeyType(blob)).toBeUndefined();
  });
});

describe("parseAuthorizedKeys", () => {
  it("passes over comments and empty lines, and keeps what stands behind a key", () => {
    const { keys, refused } = parseAuthorizedKeys(
      `# ours\r\n\n${line(ED25519)} ada@example.org her laptop\r\n\t${line(rsa(2048), "ssh-rsa")}\n`,
    );
    expect(refused).toEqual([]);
    expect(keys.map(({ type, comment, line }) => [type, comment, line])).toEqual([
      ["ssh-ed25519", "ada@example.org her laptop", 3],
      ["ssh-rsa", "", 4],
    ]);
    expect(keys[0]?.fingerprint).toBe(fingerprintOf(ED25519));
  });

  it.each([
    "restrict",
    "no-pty,no-port-forwarding,no-X11-forwarding,no-agent-forwarding,no-user-rc",
    'restrict,pty,permitopen="host:22",environment="A=b c,d"',
    'environment="A=\\"x\\""',
  ])("takes a key with %s: that gives nothing here", (options) => {
    const { keys } = parseAuthorizedKeys(`${options} ${line(ED25519)} ada`);
    expect(keys.map(({ comment }) => comment)).toEqual(["ada"]);
  });

  it.each([
    ['command="/bin/true"', "the option command is not kept here"],
    ['restrict,command="id, x"', "the option command is not kept here"],
    ['COMMAND="x"', "the option COMMAND is not kept here"],
    ['from="10.0.0.0/8"', "the option from is not kept here"],
    ['expiry-time="20300101"', "the option expiry-time is not kept here"],
    ["cert-authority", "the option cert-authority is not kept here"],
    ["verify-required", "the option verify-required is not kept here"],
    ["some-day-new", "the option some-day-new is not kept here"],
    ['command="unclosed', "it is no key that can log in here"],
    ["restrict,", "it is no key that can log in here"],
  ])("refuses a key with %s", (options, reason) => {
    const { keys, refused } = parseAuthorizedKeys(`\n${options} ${line(ED25519)} ada`);
    expect(keys).toEqual([]);
    expect(refused).toEqual([{ line: 2, reason }]);
  });

  it.each([
    "ssh-ed25519",
    "ssh-ed25519 AAAA",
    line(ED25519, "ssh-rsa"),
    `${line(ED25519)}=`,
    line(wire("ssh-dss", "p"), "ssh-dss"),
    line(ED25519, "sk-ssh-ed25519@openssh.com"),
    "junk",
  ])("refuses %s", (text) => {
    const { keys, refused } = parseAuthorizedKeys(text);
    expect(keys).toEqual([]);
    expect(refused).toEqual([{ line: 1, reason: "it is no key that can log in here" }]);
  });
});

describe("authenticateByKeys", () => {
  const other = wire("ssh-ed25519", new Uint8Array(32).fill(8));
  const offer = (blob: Uint8Array): KeyOffer => ({
    login: "git",
    type: "ssh-ed25519",
    blob,
    fingerprint: fingerprintOf(blob),
    peer: {},
    signal: new AbortController().signal,
  });

  it("names the one whose key it is, by the first line that has it", async () => {
    const list = parseAuthorizedKeys(`${line(ED25519)} ada laptop\n${line(ED25519)} bob\n`);
    const authenticate = authenticateByKeys(list);
    expect(await authenticate(offer(ED25519))).toEqual({ user: "ada" });
    expect(await authenticate(offer(other))).toBeUndefined();
  });

  it.each([
    ["ada", "ada"],
    ["ada@example.org at home", "ada@example.org"],
    ["", fingerprintOf(ED25519)],
    ["a\x1b[2Jda", fingerprintOf(ED25519)],
    ["<ada>", fingerprintOf(ED25519)],
    [`${"a".repeat(65)} b`, fingerprintOf(ED25519)],
  ])("makes of the comment %j the user %s", (comment, user) => {
    const [key] = parseAuthorizedKeys(`${line(ED25519)} ${comment}`).keys;
    expect(key && userOfKey(key)).toBe(user);
  });
});
