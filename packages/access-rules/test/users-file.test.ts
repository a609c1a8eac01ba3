import { describe, expect, it } from "vitest";
import { AccessRulesError, parseUsers } from "../src/index.ts";

/** As htpasswd of Apache 2.4 writes them. */
const ADA = "ada:$2y$04$xzbfwSMt6hmYrmR90Ktsk.XzmXqDeUoxP5jix/M9422ZaX6MGtjdy";
const BOB = "bob:$5$crDhQWAsvLLXgVx1$d.uQ9T9ntw/hLS1nfJepQGl2i9BCKJQCvJKrKtgS3I8";
const CAROL =
  "carol:$6$rounds=1000$.MolwNrx.0gPQ23p$Hm1gOGdumtx4UZ0RLfsvVaV3oaSv0bEsENH8Ta.a83VFb7oGlqXJNmnf52sXPpBl49FTYvU4uj7skCs30E4Pb1";
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDuPaJXQNmPqZb4fXq8mgZVTx4AKzN6KjGWrT1EwpkOZ";
const TOKEN = `$sha256$${"0123456789abcdef".repeat(4)}`;

function faultOf(text: string): AccessRulesError {
  try {
    parseUsers(text);
  } catch (error) {
    if (error instanceof AccessRulesError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("parseUsers", () => {
  it("reads what htpasswd writes, keys and tokens, comments and empty lines", () => {
    const text = `# us\n${ADA}\r\n\n  # more\n${BOB}\n${CAROL}\nada:${KEY} her laptop\nada:${KEY}\nci:${TOKEN}\n`;
    const { passwords, tokens, keys } = parseUsers(text);
    expect([...passwords.keys()]).toEqual(["ada", "bob", "carol"]);
    expect(passwords.get("ada")).toBe(ADA.slice(4));
    expect([...tokens]).toEqual([[TOKEN.slice(8), "ci"]]);
    expect([...keys]).toEqual([[KEY.slice(12), "ada"]]);
    expect(parseUsers("").passwords.size).toBe(0);
  });

  it.each([
    ["ada", 1, 1, /^1:1: a line is NAME:/],
    [`${ADA}\n:x`, 2, 1, /the name of a user/],
    ["a da:x", 1, 1, /the name of a user/],
    ["anyone:x", 1, 1, /the name of a user/],
    ["users:x", 1, 1, /the name of a user/],
    ["@ada:x", 1, 1, /the name of a user/],
    [`${"a".repeat(65)}:x`, 1, 1, /the name of a user/],
    ["a\u0007da:x", 1, 1, /the name of a user/],
    ["ada:secret", 1, 5, /no hash that is known/],
    ["ada:", 1, 5, /no hash that is known/],
    ["ada:$apr1$Nhn0Sy3B$vEtJvQdfBc6Rq0CR6aHbn/", 1, 5, /too quick to try out/],
    ["ada:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", 1, 5, /too quick to try out/],
    ["ada:rqXexS6ZhobKA", 1, 5, /no hash that is known/],
    [`ada:$2y$15$${"a".repeat(53)}`, 1, 5, /cost of a bcrypt hash/],
    [`ada:$2y$03$${"a".repeat(53)}`, 1, 5, /cost of a bcrypt hash/],
    [`ada:$2y$10$${"a".repeat(52)}`, 1, 5, /no hash that is known/],
    [`ada:$6$rounds=1000001$salt$${"a".repeat(86)}`, 1, 5, /rounds of such a hash/],
    [`\n\nada:$sha256$${"A".repeat(64)}`, 3, 5, /64 digits/],
    ["ada:ssh-dss AAAA", 1, 5, /no SSH key/],
    ["ada:sk-ssh-ed25519@openssh.com AAAA", 1, 5, /no SSH key/],
    [`${ADA}\n${ADA}`, 2, 1, /a password already/],
    [`ada:${TOKEN}\nbob:${TOKEN}`, 2, 5, /this token is somebody's/],
    [`ada:${KEY}\nbob:${KEY}`, 2, 5, /this key is somebody's/],
  ])("says what is wrong in %j, and where", (text, line, column, message) => {
    const fault = faultOf(text);
    expect(fault).toMatchObject({ code: "access-rules/bad-users", line, column });
    expect(fault.message).toMatch(message);
    expect(fault.message).not.toMatch(/secret|Nhn0Sy3B|5en6G6|rqXexS/);
  });
});
