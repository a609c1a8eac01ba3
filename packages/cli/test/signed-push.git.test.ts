import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createTestRepository, git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal, until } from "./terminal.ts";

const BIN = new URL("../dist/bin.js", import.meta.url).pathname;
const OURS = `${process.execPath} ${BIN} receive-pack`;

let keys: string;
let source: Awaited<ReturnType<typeof createTestRepository>>;
let fingerprint: string;

beforeAll(async () => {
  keys = temporaryDirectory("keys");
  for (const name of ["ann", "eve"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", `${keys}/${name}`]);
  writeFileSync(`${keys}/allowed`, `ann@example.com ${readFileSync(`${keys}/ann.pub`, "utf8")}`);
  fingerprint =
    execFileSync("ssh-keygen", ["-lf", `${keys}/ann.pub`], { encoding: "utf8" }).split(" ")[1] ?? "";
  source = await createTestRepository();
  await source.commit("first");
});

/** A bare repository that asks for signatures, and whose hooks write down what they hear of them. */
async function newRepository(
  config: Readonly<Record<string, string>> = {},
  objectFormat: "sha1" | "sha256" = "sha1",
) {
  const root = temporaryDirectory("root");
  const directory = `${root}/r.git`;
  await git(["init", "-q", "--bare", `--object-format=${objectFormat}`, directory]);
  for (const [key, value] of Object.entries({ "receive.certNonceSeed": "sekrit", ...config }))
    await git(["config", key, value], { cwd: directory });
  for (const hook of ["pre-receive", "post-receive"])
    script(`${directory}/hooks/${hook}`, `env | grep ^GIT_PUSH_CERT | sort > ${hook}.heard`);
  const heard = (hook = "post-receive") => {
    const lines = readFileSync(`${directory}/${hook}.heard`, "utf8").trim().split("\n");
    return new Map(lines.map((line) => [line.split("=")[0] ?? "", line.slice(line.indexOf("=") + 1)]));
  };
  return { root, directory, heard };
}

function script(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

interface PushOptions {
  readonly key?: string;
  readonly settings?: readonly string[];
  readonly receivePack?: string;
  readonly signed?: string;
  readonly from?: string;
}

function push(
  to: string,
  { key = "ann", settings = [], receivePack, signed = "yes", from = source.directory }: PushOptions = {},
) {
  const args = ["gpg.format=ssh", `user.signingKey=${keys}/${key}`, ...settings].flatMap((each) => [
    "-c",
    each,
  ]);
  const flags = receivePack === undefined ? [] : [`--receive-pack=${receivePack}`];
  return tryGit([...args, "push", ...flags, `--signed=${signed}`, to, "+HEAD:refs/heads/main"], {
    cwd: from,
  });
}

describe("xgit receive-pack", () => {
  it.each(["sha1", "sha256"] as const)("tells hooks what C git tells them, with %s", async (objectFormat) => {
    const config = { "gpg.ssh.allowedSignersFile": `${keys}/allowed` };
    const [ours, theirs] = [
      await newRepository(config, objectFormat),
      await newRepository(config, objectFormat),
    ];
    const other = await createTestRepository({ objectFormat });
    await other.commit("first");
    const from = other.directory;
    expect(await push(ours.directory, { receivePack: OURS, from })).toMatchObject({ status: 0 });
    expect(await push(theirs.directory, { from })).toMatchObject({ status: 0 });
    for (const hook of ["pre-receive", "post-receive"]) {
      const [mine, cGit] = [ours.heard(hook), theirs.heard(hook)];
      expect([...mine.keys()]).toEqual([...cGit.keys()]);
      for (const name of ["STATUS", "SIGNER", "KEY", "NONCE_STATUS"])
        expect(mine.get(`GIT_PUSH_CERT_${name}`), name).toBe(cGit.get(`GIT_PUSH_CERT_${name}`));
    }
    expect(ours.heard().get("GIT_PUSH_CERT_STATUS")).toBe("G");
    expect(ours.heard().get("GIT_PUSH_CERT_KEY")).toBe(fingerprint);
    expect(ours.heard().get("GIT_PUSH_CERT_NONCE_STATUS")).toBe("OK");
    const id = ours.heard().get("GIT_PUSH_CERT") ?? "";
    const stored = await git(["cat-file", "blob", id], { cwd: ours.directory });
    expect(stored).toMatch(/^certificate version 0.1\npusher .*-----END SSH SIGNATURE-----$/s);
  });

  it("heeds revoked keys, which C git forgets when it verifies a push", async () => {
    const { directory, heard } = await newRepository({
      "gpg.ssh.allowedSignersFile": `${keys}/allowed`,
      "gpg.ssh.revocationFile": `${keys}/ann.pub`,
    });
    await push(directory, { receivePack: OURS });
    expect(heard().get("GIT_PUSH_CERT_STATUS")).toBe("B");
    expect(heard().get("GIT_PUSH_CERT_SIGNER")).toBe("");
  });

  it("does not know a key that nobody allows, and cannot check where nobody is allowed", async () => {
    const { directory, heard } = await newRepository({ "gpg.ssh.allowedSignersFile": "signers" });
    writeFileSync(`${directory}/signers`, readFileSync(`${keys}/allowed`));
    await push(directory, { receivePack: OURS, key: "eve" });
    expect(heard().get("GIT_PUSH_CERT_STATUS")).toBe("U");
    expect(heard().get("GIT_PUSH_CERT_SIGNER")).toBe("");
    await git(["config", "--unset", "gpg.ssh.allowedSignersFile"], { cwd: directory });
    await git(["update-ref", "-d", "refs/heads/main"], { cwd: directory });
    const { status, stderr } = await push(directory, { receivePack: OURS });
    expect(status).toBe(0);
    expect(stderr).toContain("warning: the push certificate was not verified: nobody is trusted");
    expect(heard().get("GIT_PUSH_CERT_STATUS")).toBe("E");
  });

  it("runs the gpg of the machine's settings, and never of the repository's", async () => {
    const root = temporaryDirectory("programs");
    const good = script(
      `${root}/good`,
      `cat > /dev/null; echo "[GNUPG:] GOODSIG AB12 Somebody <s@example.com>"`,
    );
    const evil = script(`${root}/evil`, `touch ${root}/ran`);
    const signing = script(
      `${root}/sign`,
      `cat > /dev/null; echo "[GNUPG:] SIG_CREATED " >&2; printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n'`,
    );
    const { directory, heard } = await newRepository({
      "gpg.program": evil,
      "gpg.openpgp.program": evil,
      "gpg.ssh.program": evil,
      "gpg.ssh.allowedSignersFile": `${keys}/allowed`,
    });
    writeFileSync(`${root}/global`, `[gpg]\nprogram = ${good}\n`);
    const server = script(`${root}/server`, `GIT_CONFIG_GLOBAL=${root}/global exec ${OURS} "$@"`);
    const settings = ["gpg.format=openpgp", `gpg.program=${signing}`];
    expect(await push(directory, { receivePack: server, settings })).toMatchObject({ status: 0 });
    expect(heard().get("GIT_PUSH_CERT_STATUS")).toBe("G");
    expect(heard().get("GIT_PUSH_CERT_SIGNER")).toBe("Somebody <s@example.com>");
    expect(heard().get("GIT_PUSH_CERT_KEY")).toBe("AB12");
    await git(["update-ref", "-d", "refs/heads/main"], { cwd: directory });
    expect(await push(directory, { receivePack: OURS })).toMatchObject({ status: 0 });
    expect(heard().get("GIT_PUSH_CERT_SIGNER")).toBe("ann@example.com");
    expect(existsSync(`${root}/ran`)).toBe(false);
  });
});

async function start(root: string, flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const terminal = new FakeTerminal({ PATH: process.env.PATH ?? "", HOME: root, ...env });
  const status = main(["serve", root, "--http-port", "0", "--git-port", "0", ...flags], terminal);
  onTestFinished(async () => {
    if (terminal.signal(143)) terminal.signal(143);
    await status;
  });
  await until(() => terminal.out.includes("\n") || terminal.err !== "");
  const url = (scheme: string) => `${new RegExp(`${scheme}://127.0.0.1:\\d+`).exec(terminal.out)?.[0]}/r.git`;
  return { terminal, status, http: url("http"), plain: url("git") };
}

describe("xgit serve", () => {
  it("verifies what it is told to verify with, over both transports", async () => {
    const { root, directory, heard } = await newRepository({ "receive.certNonceSlop": "60" });
    const { http, plain } = await start(root, ["--allowed-signers", `${keys}/allowed`]);
    for (const url of [http, plain]) {
      expect(await push(url)).toMatchObject({ status: 0 });
      await until(() => existsSync(`${directory}/post-receive.heard`));
      const expected = { STATUS: "G", SIGNER: "ann@example.com", KEY: fingerprint, NONCE_STATUS: "OK" };
      for (const [name, value] of Object.entries(expected))
        expect(heard("pre-receive").get(`GIT_PUSH_CERT_${name}`), `${url} ${name}`).toBe(value);
      await git(["update-ref", "-d", "refs/heads/main"], { cwd: directory });
    }
  });

  it("knows a nonce by its age over http, which the client has to have taken its time over", async () => {
    const { root, heard } = await newRepository();
    const { http, plain } = await start(root, ["--allowed-signers", `${keys}/allowed`]);
    const slow = script(`${temporaryDirectory("slow")}/sign`, 'sleep 2; exec ssh-keygen "$@"');
    const settings = [`gpg.ssh.program=${slow}`];
    expect(await push(http, { settings })).toMatchObject({ status: 0 });
    expect(heard("pre-receive").get("GIT_PUSH_CERT_NONCE_STATUS")).toBe("SLOP");
    expect(heard("pre-receive").get("GIT_PUSH_CERT_NONCE_SLOP")).toMatch(/^([2-9]|[1-9][0-9]+)$/);
    await git(["update-ref", "-d", "refs/heads/main"], { cwd: `${root}/r.git` });
    expect(await push(plain, { settings })).toMatchObject({ status: 0 });
    expect(heard("pre-receive").get("GIT_PUSH_CERT_NONCE_STATUS")).toBe("OK");
  });

  it("verifies OpenPGP with a file of keys, and no program", async () => {
    const { root, heard } = await newRepository({ "receive.certNonceSlop": "60" });
    const { signing, ring } = openPgpClient();
    const { http } = await start(root, ["--openpgp-keys", ring]);
    const settings = ["gpg.format=openpgp", `gpg.program=${signing}`];
    expect(await push(http, { settings })).toMatchObject({ status: 0 });
    expect(heard("pre-receive").get("GIT_PUSH_CERT_STATUS")).toBe("G");
    expect(heard("pre-receive").get("GIT_PUSH_CERT_SIGNER")).toBe("Eve <Eve@example.com>");
    expect(heard("pre-receive").get("GIT_PUSH_CERT_KEY")).toMatch(/^[0-9A-F]{16}$/);
  });

  it("refuses what is not well signed with --require-signed-push", async () => {
    const { root, directory } = await newRepository({ "receive.certNonceSlop": "60" });
    await git(["config", "--unset", "receive.certNonceSeed"], { cwd: directory });
    writeFileSync(`${root}/global`, "[receive]\ncertNonceSeed = for all\n");
    const flags = ["--allowed-signers", `${keys}/allowed`, "--require-signed-push"];
    const { http, plain } = await start(root, flags, { GIT_CONFIG_GLOBAL: `${root}/global` });
    for (const url of [http, plain]) {
      expect((await push(url, { signed: "no" })).stderr).toContain(
        "[remote rejected] HEAD -> main (push is not signed)",
      );
      expect((await push(url, { key: "eve" })).stderr).toContain(
        "(signature of the push is not accepted (U))",
      );
      expect(existsSync(`${directory}/refs/heads/main`)).toBe(false);
      expect(await push(url)).toMatchObject({ status: 0 });
      await git(["update-ref", "-d", "refs/heads/main"], { cwd: directory });
    }
  });

  it("does not start with files that are no good", async () => {
    const { root } = await newRepository();
    const fails = async (...flags: string[]) => {
      const { terminal, status } = await start(root, flags);
      return [await status, terminal.err] as const;
    };
    expect(await fails("--allowed-signers", "/no/such")).toEqual([
      128,
      expect.stringMatching(/^fatal: \/no\/such cannot be read: ENOENT/),
    ]);
    expect(await fails("--openpgp-keys", `${keys}/allowed`)).toEqual([
      128,
      `fatal: ${keys}/allowed: there is no public key in it\n`,
    ]);
    const [status, err] = await fails("--revoked-keys", `${keys}/ann.pub`);
    expect(status).toBe(129);
    expect(err).toContain("--revoked-keys goes with --allowed-signers");
  });
});

/** What stands in for gpg at the client: it signs with the key that the tests of push-certificates have. */
function openPgpClient(): { readonly signing: string; readonly ring: string } {
  const home = new URL("../../push-certificates/", import.meta.url);
  const openpgp = createRequire(new URL("package.json", home)).resolve("openpgp");
  const root = temporaryDirectory("openpgp");
  writeFileSync(
    `${root}/sign.cjs`,
    `const { createMessage, readPrivateKey, sign } = require(${JSON.stringify(openpgp)});
     const { readFileSync, writeFileSync } = require("node:fs");
     (async () => {
       const armoredKey = readFileSync(${JSON.stringify(new URL("test/data/private.asc", home).pathname)}, "utf8");
       const signingKeys = await readPrivateKey({ armoredKey });
       if (process.argv[2] === "export") return writeFileSync(process.argv[3], signingKeys.toPublic().armor());
       const message = await createMessage({ binary: readFileSync(0) });
       process.stdout.write(await sign({ message, signingKeys, detached: true }));
       process.stderr.write("[GNUPG:] SIG_CREATED \\n");
     })();`,
  );
  execFileSync(process.execPath, [`${root}/sign.cjs`, "export", `${root}/ring`]);
  return {
    signing: script(`${root}/sign`, `exec ${process.execPath} ${root}/sign.cjs`),
    ring: `${root}/ring`,
  };
}
