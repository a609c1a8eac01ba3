// Stock git for the rig: nobody's settings, its own HOME.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SETTINGS = `[safe]
	directory = *
[init]
	defaultBranch = main
[user]
	name = Bench
	email = bench@example.com
[gc]
	auto = 0
[maintenance]
	auto = false
[repack]
	writeBitmaps = false
`;

/** @param {string} work a directory of the rig */
export function stockGit(work) {
  const home = join(work, "home");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, ".gitconfig"), SETTINGS);
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    LC_ALL: "C",
    TZ: "UTC",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
  };
  const feed = (input, ...args) =>
    execFileSync("git", args, {
      env,
      input,
      encoding: "utf8",
      maxBuffer: 1 << 30,
      stdio: ["pipe", "pipe", "pipe"],
    }).trim();
  const run = (...args) => feed("", ...args);
  /** Does not hold up the rig's event loop. @throws Error with what git said */
  const start = (...args) =>
    new Promise((resolve, reject) => {
      const child = spawn("git", args, { env, stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      child.stderr.on("data", (chunk) => {
        said += chunk;
      });
      child.on("error", reject);
      child.on("close", (status) =>
        status === 0 ? resolve() : reject(new Error(`git ${args.join(" ")}: ${said}`)),
      );
    });
  /** A pack of what `id` reaches and `without` does not. */
  const pack = (directory, id, without) =>
    execFileSync("git", ["-C", directory, "pack-objects", "-q", "--revs", "--stdout"], {
      env,
      input: `${id}\n^${without}\n`,
      maxBuffer: 1 << 30,
      stdio: ["pipe", "pipe", "pipe"],
    });
  return { env, feed, run, pack, start, execPath: run("--exec-path"), version: run("--version") };
}
