import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "@tooling/test-kit";
import ssh2 from "ssh2";
import { describe, expect, it } from "vitest";
import { openAuthorizedKeys, openHostKey, openHostKeys, parseHostKey } from "../src/index.ts";
import { ADA, BOB } from "./rig.ts";

describe("openHostKey", () => {
  it("makes a key for its owner alone, and uses it again", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "host_key");
    const made = await openHostKey(path);
    expect(made).toMatchObject({ type: "ssh-ed25519", fingerprint: expect.stringMatching(/^SHA256:/) });
    expect(made.text).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${path}.pub`, "utf8")).toMatch(/^ssh-ed25519 [\w+/=]+ xgit\n$/);
    expect(readdirSync(directory).sort()).toEqual(["host_key", "host_key.pub"]);
    expect(await openHostKey(path)).toEqual(made);
  });

  it("is the same for all that start at the same time", async () => {
    const path = join(temporaryDirectory(), "host_key");
    const keys = await Promise.all(Array.from({ length: 8 }, () => openHostKey(path)));
    expect(new Set(keys.map(({ text }) => text)).size).toBe(1);
    expect(readFileSync(path, "utf8")).toBe(keys[0]?.text);
  });

  it("takes no key that others can read, and none that is no key", async () => {
    const path = join(temporaryDirectory(), "host_key");
    await openHostKey(path);
    chmodSync(path, 0o640);
    const code = "transport-ssh/bad-host-key";
    await expect(openHostKey(path)).rejects.toMatchObject({ code });
    chmodSync(path, 0o600);
    for (const text of ["", "junk", ADA.public, "x".repeat(70_000)]) {
      writeFileSync(path, text);
      await expect(openHostKey(path)).rejects.toMatchObject({ code });
    }
    const locked = ssh2.utils.generateKeyPairSync("ed25519", {
      passphrase: "x",
      cipher: "aes256-ctr",
    } as object);
    expect(() => parseHostKey(locked.private)).toThrow(expect.objectContaining({ code }));
  });
});

describe("openHostKeys", () => {
  it("makes a second key for clients that know no Ed25519", async () => {
    const path = join(temporaryDirectory(), "host_key");
    const made = await openHostKeys(path);
    expect(made.map(({ type }) => type)).toEqual(["ssh-ed25519", "ecdsa-sha2-nistp256"]);
    expect(statSync(`${path}.ecdsa`).mode & 0o777).toBe(0o600);
    expect(await openHostKeys(path)).toEqual(made);
  });

  it("puts none beside a key that somebody made", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "host_key");
    writeFileSync(path, ADA.private, { mode: 0o600 });
    expect(await openHostKeys(path)).toHaveLength(1);
    expect(readdirSync(directory)).toEqual(["host_key"]);
  });
});

describe("openAuthorizedKeys", () => {
  const offer = (key: { readonly public: string }) => {
    const parsed = ssh2.utils.parseKey(key.public) as { getPublicSSH(): Buffer };
    return { blob: parsed.getPublicSSH() } as unknown as Parameters<
      Awaited<ReturnType<typeof openAuthorizedKeys>>
    >[0];
  };

  it("follows its file", async () => {
    const path = join(temporaryDirectory(), "keys");
    writeFileSync(path, ADA.public);
    const authenticate = await openAuthorizedKeys(path);
    expect(await authenticate(offer(ADA))).toEqual({ user: "ada" });
    writeFileSync(path, `# gone\n${BOB.public}\n`);
    expect(await authenticate(offer(ADA))).toBeUndefined();
    expect(await authenticate(offer(BOB))).toEqual({ user: "bob" });
  });

  it("tells of lines that let nobody in", async () => {
    const path = join(temporaryDirectory(), "keys");
    writeFileSync(path, `${BOB.public}\nfrom="10.*" ${ADA.public}\n`);
    const refused: unknown[] = [];
    await openAuthorizedKeys(path, { onRefused: (line) => refused.push(line) });
    expect(refused).toEqual([{ line: 2, reason: "the option from is not kept here" }]);
  });

  it("lets nobody in without its file", async () => {
    const directory = temporaryDirectory();
    const code = "transport-ssh/bad-authorized-keys";
    await expect(openAuthorizedKeys(join(directory, "none"))).rejects.toMatchObject({ code });
    const path = join(directory, "keys");
    writeFileSync(path, ADA.public);
    const authenticate = await openAuthorizedKeys(path);
    writeFileSync(path, Buffer.alloc(16 * 1024 * 1024 + 1, "#"));
    await expect(authenticate(offer(ADA))).rejects.toMatchObject({ code });
  });
});
