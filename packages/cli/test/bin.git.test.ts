import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";

const BIN = new URL("../dist/bin.js", import.meta.url).pathname;

describe("the built command", () => {
  it("runs, and ends with main's status", () => {
    const good = spawnSync(process.execPath, [BIN, "--version"], { encoding: "utf8" });
    expect([good.status, good.stderr]).toEqual([0, ""]);
    expect(good.stdout).toMatch(/^xgit \d+\.\d+\.\d+/);
    expect(spawnSync(process.execPath, [BIN, "--nonsense"]).status).toBe(129);
  });

  it("ends at once with its standard input still open", () => {
    const started = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, "upload-pack", "/does/not/exist"], {
      stdio: ["pipe", "pipe", "pipe"],
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([128, ""]);
    expect(stderr).toMatch(/^fatal: /);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("gives all it has to a reader that is slow", async () => {
    const repository = await createTestRepository({});
    await repository.commit("first");
    const head = await repository.git("rev-parse", "HEAD");
    const names = Array.from({ length: 1100 }, (_, i) => `refs/heads/branch-${i}`).sort();
    const packed = names.map((name) => `${head} ${name}\n`).join("");
    writeFileSync(
      `${repository.gitDirectory}/packed-refs`,
      `# pack-refs with: peeled fully-peeled sorted \n${packed}`,
    );
    // More than a pipe holds, by less than what is written without waiting.
    const command = `'${process.execPath}' '${BIN}' upload-pack --http-backend-info-refs '${repository.directory}'`;
    const { stdout } = spawnSync("sh", ["-c", `${command} | { sleep 1; cat; }`], { encoding: "latin1" });
    expect(stdout.length).toBeGreaterThan(65536);
    expect(stdout.length).toBeLessThan(65536 + 16384);
    expect(stdout.slice(-4)).toBe("0000");
  });

  it.each(["sha1", "sha256"] as const)(
    "serves stock git's fetch and push on standard input and output: %s",
    async (objectFormat) => {
      const source = await createTestRepository({ objectFormat });
      await source.commit("first");
      const bare = `${temporaryDirectory("bare")}/r.git`;
      await git(["clone", "-q", "--bare", source.directory, bare]);
      for (const version of ["0", "1", "2"]) {
        const clone = `${temporaryDirectory("clone")}/c`;
        const protocol = ["-c", `protocol.version=${version}`];
        const command = (name: string) => `'${process.execPath}' '${BIN}' ${name}`;
        await git([...protocol, "clone", "-q", "-u", command("upload-pack"), `file://${bare}`, clone]);
        expect(await git(["fsck", "--strict"], { cwd: clone })).toBe("");
        await git(["commit", "-q", "--allow-empty", "-m", `v${version}`], { cwd: clone });
        await git([...protocol, "push", "-q", "--receive-pack", command("receive-pack"), "origin", "HEAD"], {
          cwd: clone,
        });
        expect(await git(["log", "-1", "--format=%s"], { cwd: bare })).toBe(`v${version}`);
      }
      expect(await git(["fsck", "--strict"], { cwd: bare })).toBe("");
    },
  );

  it.each(["SIGINT", "SIGTERM"] as const)("ends with 0 after %s", async (signal) => {
    const child = spawn(
      process.execPath,
      [BIN, "serve", temporaryDirectory("root"), "--http-port", "0", "--git-port", "0"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const ended = new Promise((resolve) => child.once("exit", (...how) => resolve(how)));
    let text = "";
    for await (const chunk of child.stdout) {
      text += String(chunk);
      if (text.includes("no repository yet")) break;
    }
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
  });
});
