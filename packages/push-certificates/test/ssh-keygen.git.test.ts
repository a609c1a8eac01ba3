import { writeFileSync } from "node:fs";
import { temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { data, given, PAYLOAD, verdict } from "./rig.ts";

const environment = { PATH: process.env.PATH };
const KEYS = ["ed25519", "ecdsa-256", "ecdsa-384", "ecdsa-521", "rsa", "sk-ed25519", "sk-ecdsa"];
const ALL = KEYS.map((name) => `${name}@example.com ${data(`${name}.pub`)}`).join("");
const SIGNATURES = [...KEYS, "ed25519-sha256", "ed25519-file", "rsa-sha256", "rsa-sha1"];

/** What we say, and what the real program says, in git's way of asking it. */
async function both(lines: string, signature: string, { payload = PAYLOAD, revoked = "" } = {}) {
  const revokedKeys = `${temporaryDirectory("revoked")}/keys`;
  writeFileSync(revokedKeys, revoked, "latin1");
  const ssh = { allowedSigners: given(lines), revokedKeys };
  return {
    ours: await verdict({ ssh, now: Date.now }, signature, payload).catch(() => "not verified"),
    theirs: await verdict({ ssh: { ...ssh, program: "ssh-keygen" }, environment }, signature, payload),
  };
}

describe("ssh-keygen says the same", () => {
  it.each(SIGNATURES)("of %s", async (name) => {
    const known = await both(ALL, data(`${name}.sig`));
    // SHA-1 is bad to one and unknown to the other.
    if (name === "rsa-sha1") expect(known).toMatchObject({ ours: "not verified", theirs: { status: "B" } });
    else expect(known.ours).toEqual(known.theirs);
    expect(known.theirs.status).toBe(/file|sha1/.test(name) ? "B" : "G");
    const changed = await both(ALL, data(`${name}.sig`), { payload: `${PAYLOAD} ` });
    expect(changed.theirs.status).toBe("B");
    if (name !== "rsa-sha1") expect(changed.ours).toEqual(changed.theirs);
    if (name === "rsa-sha1" || name === "ed25519-file") return;
    const unknown = await both("", data(`${name}.sig`));
    expect(unknown.theirs.status).toBe("U");
    expect(unknown.ours).toEqual(unknown.theirs);
  });

  const key = data("ed25519.pub");
  it.each([
    ["G", `a namespaces="git" ${key}`],
    ["G", `a NAMESPACES="x,g*" ${key}`],
    ["B", `a namespaces="file" ${key}`],
    ["G", `!b,*@x,a ${key}`],
    ["G", `"two words" ${key}`],
    ["G", `a valid-after="20200101",valid-before="21000101" ${key}`],
    ["U", `a valid-before="20200101" ${key}`],
    ["U", `a valid-after="21000101" ${key}`],
    ["U", `a cert-authority ${key}`],
    ["G", `# none\n\n  a\t${key}`],
  ])("%s: %j", async (status, lines) => {
    const { ours, theirs } = await both(lines, data("ed25519.sig"));
    expect(theirs.status).toBe(status);
    expect(ours).toEqual(theirs);
  });

  it("of revoked keys, whatever list they are in", async () => {
    const lists = ["keys", "sha1", "sha256"].map((name) =>
      Buffer.from(data(`${name}.krl.base64`), "base64").toString("latin1"),
    );
    for (const revoked of [key, ...lists]) {
      const { ours, theirs } = await both(ALL, data("ed25519.sig"), { revoked });
      expect(theirs.status).toBe("B");
      expect(ours).toEqual(theirs);
      const other = await both(ALL, data("rsa.sig"), { revoked });
      expect(other.theirs.status).toBe("G");
      expect(other.ours).toEqual(other.theirs);
    }
  });
});
