// What stands behind the commands of the README, on a machine that has Node and npm only.
//   node tooling/run.mjs build      install everything, build the server
//   node tooling/run.mjs test       install everything, build, run every test, print one closing line
//   node tooling/run.mjs pnpm ...   any other pnpm command, with the right pnpm
// It needs the pnpm that package.json names: the one on PATH if that is it, else npx fetches it
// and starts this file again with that pnpm on PATH (turbo looks for pnpm there too).
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testedPackages } from "./tested-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { packageManager } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const pin = packageManager.split("+")[0];
const shell = process.platform === "win32";
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: "inherit", shell });
  if (error) throw error;
  return status ?? 1;
}

/** Runs each step until one fails; gives that one's exit status. */
function steps(...list) {
  for (const step of list) {
    const status = run(...step);
    if (status !== 0) return status;
  }
  return 0;
}

const [task = "build", ...rest] = process.argv.slice(2);
const found = spawnSync("pnpm", ["--version"], { cwd: root, env, encoding: "utf8", shell });
const install = ["pnpm", "install", "--frozen-lockfile"];
const turbo = ["pnpm", "exec", "turbo", "run"];

if (`pnpm@${found.stdout?.trim()}` !== pin && !env.X_PNPM_TRIED) {
  env.X_PNPM_TRIED = "1";
  process.exitCode = run("npx", "--yes", "--package", pin, "--", "node", "tooling/run.mjs", task, ...rest);
} else if (task === "build") {
  // Whoever runs the server does without the 300 MB of runtimes that it is tested under.
  process.exitCode = steps(
    [...install, "--filter", "!@tooling/runtimes"],
    [...turbo, "build", "--filter=@x/cli", "--output-logs=errors-only", ...rest],
  );
} else if (task === "test") {
  // Old reports go, so that the closing line counts this run only; turbo brings back those it has cached.
  for (const { directory } of testedPackages())
    rmSync(join(directory, "reports"), { recursive: true, force: true });
  const tested = steps(install, [...turbo, "test", "--continue", "--output-logs=new-only", ...rest]);
  process.exitCode = run("node", "tooling/test-summary.mjs", String(tested));
} else if (task === "pnpm") {
  process.exitCode = run("pnpm", ...rest);
} else {
  console.error(`no such task: ${task}`);
  process.exitCode = 2;
}
