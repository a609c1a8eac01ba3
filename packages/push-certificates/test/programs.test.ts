import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { temporaryDirectory } from "@tooling/test-kit";
import { createPushVerifier, type PushVerifierOptions } from "@x/push-certificates";
import { describe, expect, it } from "vitest";
import { bytes, data, given, PAYLOAD, REPOSITORY, verdict } from "./rig.ts";

const PGP = data("signed-alice.asc");
const X509 = "-----BEGIN SIGNED MESSAGE-----\nMIA=\n-----END SIGNED MESSAGE-----\n";
const environment = { PATH: process.env.PATH };

/** A program that stands in for gpg or ssh-keygen. */
function program(script: string): string {
  const path = `${temporaryDirectory("program")}/it`;
  writeFileSync(path, `#!/bin/sh\ncd "\${0%/*}"\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const near = (path: string, name: string) => readFileSync(`${path.slice(0, -2)}${name}`, "latin1");

describe("gpg as a program", () => {
  it("is run as git runs it, with its own variables alone", async () => {
    const gpg = program(
      `printf '%s\\n' "$@" > args; cat > payload; cat "$4" > signature; env > variables
       printf '[GNUPG:] GOODSIG 13B6F51ECDDE430D J\\303\\266rg\\n[GNUPG:] TRUST_FULLY 0 pgp\\n'; exit 0`,
    );
    const openpgp = { program: gpg };
    expect(await verdict({ openpgp, environment: { ...environment, GNUPGHOME: "/keys" } }, PGP)).toEqual({
      status: "G",
      signer: "Jörg",
      key: "13B6F51ECDDE430D",
    });
    expect(near(gpg, "args")).toMatch(
      /^--keyid-format=long\n--status-fd=1\n--verify\n\/.*push-certificate-.*\n-\n$/,
    );
    expect(near(gpg, "payload")).toBe(PAYLOAD);
    expect(near(gpg, "signature")).toBe(PGP);
    expect(near(gpg, "variables")).toContain("GNUPGHOME=/keys\n");
    expect(near(gpg, "variables")).not.toMatch(/^HOME=/m);
    expect(existsSync(near(gpg, "args").split("\n")[3] as string)).toBe(false);
  });

  it("may be gpgsm", async () => {
    const gpgsm = program(`echo "$1" > args; cat > payload; echo "[GNUPG:] GOODSIG AB12 /CN=Somebody"`);
    expect(await verdict({ x509: { program: gpgsm, minTrustLevel: "fully" }, environment }, X509)).toEqual({
      status: "U",
      signer: "/CN=Somebody",
      key: "AB12",
    });
    expect(near(gpgsm, "args")).toBe("--status-fd=1\n");
  });

  it("need not read what it is told, nor say anything", async () => {
    const payload = "x".repeat(1_000_000);
    const openpgp = { program: program("exit 2") };
    expect((await verdict({ openpgp, environment }, PGP, payload)).status).toBe("E");
  });

  it.each<[string, string, PushVerifierOptions["limits"], string]>([
    ["that hangs", "sleep 60 & sleep 60", { programTimeoutMs: 2000 }, "took longer than 2000 ms"],
    ["that hangs behind its end", "sleep 60 &", { programTimeoutMs: 2000 }, "took longer than 2000 ms"],
    ["that never ends to speak", "yes", { maxProgramOutputBytes: 1000 }, "printed more than 1000 bytes"],
    ["that complains for ever", "yes >&2", {}, "printed more than 65536 bytes"],
    ["that kills itself", "kill -9 $$", {}, "was killed"],
  ])("%s is ended", async (_, script, limits, message) => {
    const gpg = program(`printf %s "$4" > file\n${script}`);
    const started = performance.now();
    await expect(verdict({ openpgp: { program: gpg }, environment, limits }, PGP)).rejects.toMatchObject({
      code: "push-certificates/program-failed",
      message: `${gpg} ${message}`,
    });
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(near(gpg, "file")).toMatch(/^\//);
    expect(existsSync(near(gpg, "file"))).toBe(false);
  });

  it("has to be there", async () => {
    for (const name of ["/no/such/gpg", "no-such-gpg", "/etc/passwd", "a\0b"])
      await expect(verdict({ openpgp: { program: name }, environment }, PGP)).rejects.toMatchObject({
        code: "push-certificates/program-failed",
        message: `${name} did not start`,
      });
  });

  it("goes with the push", async () => {
    const gpg = program("echo $$ > begun; sleep 60");
    const controller = new AbortController();
    const { verify } = createPushVerifier({ openpgp: { program: gpg }, environment });
    const { signal } = controller;
    const running = verify(bytes(PAYLOAD), bytes(PGP), { repository: REPOSITORY, signal });
    const ended = expect(running).rejects.toThrow("left");
    const begun = () => existsSync(`${gpg.slice(0, -2)}begun`) && near(gpg, "begun").endsWith("\n");
    while (!begun()) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort(new Error("left"));
    await ended;
    expect(() => process.kill(Number(near(gpg, "begun")), 0)).toThrow("ESRCH");
  });
});

describe("ssh-keygen as a program", () => {
  const SIGNATURE = data("ed25519.sig");
  const lists = { allowedSigners: given("list"), revokedKeys: given("gone") };
  const asked = (script: string) =>
    verdict({ ssh: { ...lists, program: program(script) }, environment }, SIGNATURE);

  it("is asked for the principals, and about each", async () => {
    const keygen = program(
      `echo "$@" >> args; cat > payload
       case $2 in
       find-principals) echo one; echo "two words";;
       verify) [ "$8" = "two words" ] && cat "$6" "\${12}" > lists &&
         echo 'Good "git" signature for two words with RSA key SHA256:abc';;
       esac`,
    );
    expect(await verdict({ ssh: { ...lists, program: keygen }, environment }, SIGNATURE)).toEqual({
      status: "G",
      signer: "two words",
      key: "SHA256:abc",
    });
    const args = near(keygen, "args").replace(/\/\S*\//g, "");
    expect(args).toBe(
      [
        "-Y find-principals -f 1 -s 0",
        "-Y verify -n git -f 1 -I one -s 0 -r 2",
        "-Y verify -n git -f 1 -I two words -s 0 -r 2",
        "",
      ].join("\n"),
    );
    expect(near(keygen, "payload")).toBe(PAYLOAD);
    expect(near(keygen, "lists")).toBe("listgone");
  });

  it("knows no principal", async () => {
    const unknown = `[ $2 = check-novalidate ] || exit 255; echo 'Good "git" signature with ED25519 key SHA256:abc'`;
    expect(await asked(unknown)).toEqual({ status: "U", signer: undefined, key: "SHA256:abc" });
    expect((await asked("exit 255")).status).toBe("B");
  });

  it("has to say it in its own words", async () => {
    const says = (text: string, status = 0) =>
      asked(`[ $2 = find-principals ] && echo one && exit; echo '${text}'; exit ${status}`);
    const good = 'Good "git" signature for one with RSA key SHA256:abc';
    expect((await says(good)).status).toBe("G");
    expect((await says(good, 1)).status).toBe("B");
    expect((await says('Good "file" signature for one with RSA key SHA256:abc')).status).toBe("B");
    expect((await says(`Bad\n${good}`)).status).toBe("B");
    expect((await says("Good")).status).toBe("B");
  });
});
