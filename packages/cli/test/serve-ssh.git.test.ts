import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, statSync } from "node:fs";
import { git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { FREE, newRoot, start, startWith } from "./serving.ts";

/** A key without a passphrase, and a list that lets it in. */
function newKey() {
  const directory = temporaryDirectory("key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", `${directory}/id`]);
  copyFileSync(`${directory}/id.pub`, `${directory}/authorized_keys`);
  const options = "-o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -F none";
  return { directory, keys: `${directory}/authorized_keys`, command: `ssh -q -i ${directory}/id ${options}` };
}

describe("xgit serve over ssh", () => {
  it("lets in whose key is listed, makes its own key once, and records who pushed", async () => {
    const root = await newRoot();
    const { directory, keys, command } = newKey();
    const state = temporaryDirectory("state");
    const flags = [root, ...FREE, "--ssh-port", "0", "--ssh-keys", keys];
    const { terminal } = await startWith({ XDG_STATE_HOME: state }, ...flags);
    const [, url] = /(ssh:\/\/git@127\.0\.0\.1:\d+)/.exec(terminal.out) ?? [];
    const [fingerprint] = /SHA256:\S+/.exec(terminal.out) ?? [];
    expect(fingerprint).toBeDefined();
    const env = { GIT_SSH_COMMAND: command };
    const clone = `${directory}/c`;
    await git(["clone", "-q", `${url}/demo.git`, clone], { env });
    await git(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: clone });
    await git(["push", "-q", "origin", "HEAD:refs/heads/more"], { cwd: clone, env });
    expect(terminal.err).toMatch(/info: push user=ada peer=127\.0\.0\.1 transport=ssh .*refs\/heads\/more/);
    expect(statSync(`${state}/xgit/ssh_host_ed25519_key`).mode & 0o077).toBe(0);
    const again = await startWith({ XDG_STATE_HOME: state }, ...flags);
    expect(again.terminal.out).toContain(fingerprint);
  });

  it.each([
    [["--ssh-port", "0"], "error: ssh.port goes with ssh.keys"],
    [["--ssh-keys", "/no/such/keys"], "fatal: /no/such/keys: "],
  ])("refuses %j", async (flags, expected) => {
    const { terminal, status } = await start(await newRoot(), ...FREE, ...flags);
    expect(await status).not.toBe(0);
    expect(terminal.err).toContain(expected);
  });

  it("is off unless it is asked for", async () => {
    const state = temporaryDirectory("state");
    const { terminal } = await startWith({ XDG_STATE_HOME: state }, await newRoot(), ...FREE);
    expect(terminal.out).not.toContain("ssh://");
    expect(existsSync(`${state}/xgit`)).toBe(false);
  });
});
