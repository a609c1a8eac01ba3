import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { FREE, newRoot, start, startWith } from "./serving.ts";

/** As htpasswd writes it: `bobs`. */
const BOB = "bob:$5$crDhQWAsvLLXgVx1$d.uQ9T9ntw/hLS1nfJepQGl2i9BCKJQCvJKrKtgS3I8";

function newKey() {
  const path = `${temporaryDirectory("key")}/id`;
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "laptop", "-f", path]);
  const options = "-o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -F none";
  return { line: readFileSync(`${path}.pub`, "utf8"), command: `ssh -q -i ${path} ${options}` };
}

async function serve(rules: string | undefined, ...more: string[]) {
  const directory = temporaryDirectory("access");
  const key = newKey();
  writeFileSync(`${directory}/users`, `${BOB}\nada:${key.line}`);
  if (rules !== undefined) writeFileSync(`${directory}/access`, rules);
  const access = rules === undefined ? [] : ["--access", `${directory}/access`];
  const root = await newRoot();
  const flags = ["--users", `${directory}/users`, ...access, "--ssh-port", "0", ...more];
  const state = { XDG_STATE_HOME: temporaryDirectory("state") };
  const { terminal } = await startWith(state, root, ...FREE, ...flags);
  const url = (scheme: string) =>
    new RegExp(`${scheme}://\\S*?127\\.0\\.0\\.1:\\d+`).exec(terminal.out)?.[0] ?? "";
  return { root, directory, terminal, key, url };
}

describe("xgit serve with users", () => {
  it("lets each do what the rules say, over every transport", async () => {
    const rules = "repo demo\n  read users\n  write ada\n";
    const { terminal, key, url, root } = await serve(rules);
    expect(terminal.out).toContain("who may read and push is as the rules say");
    const http = `${url("http")}/demo.git`;
    const withPassword = http.replace("//", "//bob:bobs@");
    const env = { GIT_SSH_COMMAND: key.command };
    expect((await tryGit(["ls-remote", http])).stderr).toContain("could not read Username");
    expect((await tryGit(["ls-remote", `${url("git")}/demo.git`])).stderr).toContain("access denied");
    expect(await git(["ls-remote", withPassword])).toBe(await git(["ls-remote", `${root}/demo.git`]));
    const clone = temporaryDirectory("clone");
    await git(["clone", "-q", `${url("ssh")}/demo.git`, clone], { env });
    await git(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: clone });
    const push = (to: string) => tryGit(["push", "-q", to, "HEAD:refs/heads/more"], { cwd: clone, env });
    expect((await push(withPassword)).stderr).toContain("403");
    expect((await push(`${url("git")}/demo.git`)).status).not.toBe(0);
    expect(await push(`${url("ssh")}/demo.git`)).toMatchObject({ status: 0 });
    expect(terminal.err).toMatch(/push user=ada peer=127\.0\.0\.1 transport=ssh .*refs\/heads\/more/);
    expect(terminal.err).not.toContain("bobs");
  });

  it("without rules lets everybody read, and nobody write", async () => {
    const { url, root, key } = await serve(undefined);
    const env = { GIT_SSH_COMMAND: key.command };
    const refs = await git(["ls-remote", `${root}/demo.git`]);
    for (const scheme of ["http", "git", "ssh"])
      expect(await git(["ls-remote", `${url(scheme)}/demo.git`], { env })).toBe(refs);
    for (const scheme of ["http", "git", "ssh"]) {
      const push = ["push", `${url(scheme)}/demo.git`, "HEAD:refs/heads/x"];
      expect((await tryGit(push, { cwd: `${root}/demo.git`, env })).status).not.toBe(0);
    }
  });

  it("makes a repository for a push that may be made, and for no other", async () => {
    const { url, root, key } = await serve("repo new\n  write ada\n", "--create-on-push");
    const env = { GIT_SSH_COMMAND: key.command };
    const push = (to: string) =>
      tryGit(["push", "-q", to, "HEAD:refs/heads/x"], { cwd: `${root}/demo.git`, env });
    const bobs = url("http").replace("//", "//bob:bobs@");
    expect((await push(`${bobs}/new.git`)).stderr).toContain("not found");
    expect((await push(`${bobs}/other.git`)).stderr).toContain("not found");
    expect(await push(`${url("ssh")}/new.git`)).toMatchObject({ status: 0 });
    expect(await git(["for-each-ref", "--format=%(refname)"], { cwd: `${root}/new.git` })).toBe(
      "refs/heads/x",
    );
    await expect(git(["ls-remote", `${root}/other.git`])).rejects.toThrow();
  });

  it("says where a file is no good, and what does not go together", async () => {
    const root = await newRoot();
    const file = `${temporaryDirectory()}/access`;
    writeFileSync(file, "repo **\n  reed all\n");
    const bad = await start(root, ...FREE, "--access", file);
    expect(await bad.status).toBe(128);
    expect(bad.terminal.err).toContain(`fatal: ${file}:2:3: a line starts with group, repo, read or write`);
    writeFileSync(file, "");
    const both = await start(root, ...FREE, "--access", file, "--enable", "receive-pack");
    expect(await both.status).toBe(129);
    expect(both.terminal.err).toContain("enable allows everybody a service");
    const ssh = await start(root, ...FREE, "--access", file, "--ssh-port", "0");
    expect(await ssh.status).toBe(129);
    expect(ssh.terminal.err).toContain("ssh.port goes with ssh.keys or access.users");
  });
});
