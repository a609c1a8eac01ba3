import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:tls";
import { git, makeCertificate, temporaryDirectory, tryGit } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { main } from "../src/main.ts";
import { FREE, newRoot, start, startWith } from "./serving.ts";
import { FakeTerminal, until } from "./terminal.ts";

/** A directory with `cert.pem` and `key.pem`. */
function tlsDirectory(name: string): string {
  const directory = temporaryDirectory("tls");
  const { certificate, key } = makeCertificate(name);
  writeFileSync(`${directory}/cert.pem`, certificate);
  writeFileSync(`${directory}/key.pem`, key);
  return directory;
}

function shownName(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const port = Number(url.split(":").at(-1));
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.end();
    }).once("error", reject);
  });
}

describe("xgit serve over https", () => {
  it("serves stock git, and takes another certificate when its files change", async () => {
    const root = await newRoot();
    const tls = tlsDirectory("one");
    const flags = ["--tls-certificate", `${tls}/cert.pem`, "--tls-key", `${tls}/key.pem`];
    const { https, terminal } = await start(root, ...FREE, "--https-port", "0", ...flags);
    const clone = `${temporaryDirectory("clone")}/c`;
    const trusting = (path: string) => ["-c", `http.sslCAInfo=${path}`];
    copyFileSync(`${tls}/cert.pem`, `${tls}/old.pem`);
    await git([...trusting(`${tls}/old.pem`), "clone", "-q", `${https}/demo.git`, clone]);
    expect((await tryGit(["ls-remote", `${https}/demo.git`])).stderr).toMatch(/certificate/i);
    await git(["commit", "-q", "--allow-empty", "-m", "more"], { cwd: clone });
    await git([...trusting(`${tls}/old.pem`), "push", "-q", "origin", "HEAD:refs/heads/more"], {
      cwd: clone,
    });
    expect(terminal.out).toContain(`git clone ${https}/demo.git`);

    const next = tlsDirectory("two");
    copyFileSync(`${next}/cert.pem`, `${tls}/cert.pem`);
    copyFileSync(`${next}/key.pem`, `${tls}/key.pem`);
    await until(() => terminal.err.includes("the certificate was renewed"), 8000);
    expect(await shownName(https)).toBe("two");
    writeFileSync(`${tls}/cert.pem`, "nonsense");
    await until(() => terminal.err.includes("the certificate was not renewed"), 8000);
    expect(await shownName(https)).toBe("two");
  }, 30_000);

  it.each([
    [["--https-port", "0"], "error: https.port goes with https.certificate and https.key"],
    [
      ["--https-port", "0", "--tls-certificate", "/no/cert", "--tls-key", "/no/key"],
      "fatal: /no/cert: ENOENT",
    ],
  ])("refuses %j", async (flags, expected) => {
    const { terminal, status } = await start(await newRoot(), ...FREE, ...flags);
    expect(await status).not.toBe(0);
    expect(terminal.err).toContain(expected);
  });

  it("names the files of a certificate that is none", async () => {
    const tls = tlsDirectory("one");
    writeFileSync(`${tls}/cert.pem`, "nonsense");
    const flags = ["--tls-certificate", `${tls}/cert.pem`, "--tls-key", `${tls}/key.pem`];
    const { terminal, status } = await start(await newRoot(), ...FREE, "--https-port", "0", ...flags);
    expect(await status).toBe(128);
    expect(terminal.err).toMatch(/^fatal: \S+\/cert\.pem and \S+\/key\.pem: /);
  });
});

describe("the config of xgit serve", () => {
  it("comes from a file, variables and flags", async () => {
    const root = await newRoot();
    const file = `${temporaryDirectory("config")}/xgit.json`;
    writeFileSync(file, JSON.stringify({ root, http: { port: 0 }, git: { port: 0 }, createOnPush: true }));
    const server = await startWith({ XGIT_CONFIG: file, XGIT_GIT_PORT: "off", XGIT_LIMITS_MAX_WANTS: "0" });
    expect([server.http, server.git]).toEqual([expect.stringMatching(/^http:/), "none"]);
    expect((await tryGit(["ls-remote", `${server.http}/demo.git`])).status).toBe(0);
    const push = await tryGit(["push", `${server.http}/new.git`, "HEAD:refs/heads/main"], {
      cwd: `${root}/demo.git`,
    });
    expect(push.status).toBe(0);
  });

  it("lets the pages in that it is told of", async () => {
    const root = await newRoot();
    const origin = "https://pages.example";
    const { http } = await start(root, ...FREE, "--set", `http.corsOrigins=${origin}`);
    const allowed = async (from: string) => {
      const answer = await fetch(`${http}/demo.git/info/refs?service=git-upload-pack`, {
        headers: { origin: from },
      });
      return answer.headers.get("access-control-allow-origin");
    };
    expect([await allowed(origin), await allowed("https://other.example")]).toEqual([origin, null]);
  });

  it("limits what it was told to limit", async () => {
    const root = await newRoot();
    const { http } = await start(root, ...FREE, "--set", "limits.maxFetchRequestBytes=10");
    const clone = await tryGit(["clone", "-q", `${http}/demo.git`, `${temporaryDirectory("clone")}/c`]);
    expect(clone.status).toBe(128);
    expect(clone.stderr).toContain("maxFetchRequestBytes (10)");
  });

  it("is printed, not served, with --print-config", async () => {
    const terminal = new FakeTerminal();
    expect(await main(["serve", "/srv/git", "--http-port", "off", "--print-config"], terminal)).toBe(0);
    expect(terminal.out).toContain('root = "/srv/git" # DIR\n');
    expect(terminal.out).toContain('http.port = "off" # --http-port\n');
  });

  it.each([
    [["--set", "x"], "error: --set x: expected KEY=VALUE"],
    [["--set", "x=1"], "error: --set x: there is no such setting"],
    [["--config", "/no/such.toml"], "/no/such.toml: ENOENT"],
    [["--durability", "some"], 'error: --durability: expected one of full, git, none, found "some"'],
  ])("is refused for %j", async (flags, expected) => {
    const terminal = new FakeTerminal();
    expect(await main(["serve", ...flags], terminal)).not.toBe(0);
    expect(terminal.err).toContain(expected);
  });
});

describe("the log of xgit serve", () => {
  it("is a JSON object in each line with --log-format json, in a file if asked for", async () => {
    const file = `${temporaryDirectory("log")}/log`;
    const { http, terminal } = await start(
      await newRoot(),
      ...FREE,
      "--log-format",
      "json",
      "--log-file",
      file,
    );
    await git(["ls-remote", `${http}/demo.git`]);
    await until(() => readFileSync(file, "utf8").includes("\n"));
    const [line = ""] = readFileSync(file, "utf8").split("\n");
    expect(JSON.parse(line)).toMatchObject({
      level: "info",
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      msg: "request",
      service: "git-upload-pack",
      repository: "/demo.git",
      outcome: "ok",
    });
    expect(terminal.err).toBe("");
  });
});
