// Pushes to a disk that is full: with no page free, then one, and so on until the push succeeds.
//   pnpm drill:full
// One server takes them all, over git://, on a file system in memory. Linux only. It needs unshare, and the right to mount
// in a namespace of one's own.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stockGit } from "../bench/git.mjs";
import { startOurs } from "../bench/servers.mjs";
import { checkObjects, checkReflogs, checkRefs, checkWhole, leftovers, refsOf } from "./invariants.mjs";
import { readReport } from "./pusher.mjs";
import { makeScenes, requestOf, stage } from "./scene.mjs";

/** Tells that this process is the one that may mount. */
const INSIDE = "DRILL_MAY_MOUNT";
/** More than any push takes. */
const MAX_PAGES = 200;

const bin = fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url));
if (!existsSync(bin)) throw new Error(`${bin} is not built`);

function push(port, scene) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let told = "";
    let asked = 0;
    const line = "git-receive-pack /repo.git\0host=x\0";
    socket.write(`${(line.length + 4).toString(16).padStart(4, "0")}${line}`);
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      told += chunk.toString("latin1");
      if (asked > 0 || !told.endsWith("0000")) return;
      asked = told.length;
      socket.write(requestOf(scene));
    });
    socket.on("close", () => resolve(told.slice(asked)));
  });
}

/** One push with `pages` free. */
async function runCell(git, scene, directory, disk, port, pages) {
  stage(scene, directory);
  const before = refsOf(git, directory);
  const { bavail, bsize } = statfsSync(disk);
  const filler = join(disk, "filler");
  writeFileSync(filler, Buffer.alloc((bavail - pages) * bsize));
  const told = await push(port, scene);
  const report = readReport(told);
  const refs = refsOf(git, directory);
  const problems = [
    ...checkRefs(scene, before, refs, report),
    ...checkWhole(scene, refs),
    ...leftovers(directory).map((path) => `left: ${path}`),
  ];
  rmSync(filler);
  problems.push(...checkObjects(git, directory), ...checkReflogs(scene, directory));
  const isDone = report.done.size === scene.changes.length;
  const isRefused = report.refused || /unpack (?!ok)/.test(told);
  if (!isDone && !isRefused) problems.push(`no reason was given: ${JSON.stringify(told)}`);
  return { isDone, problems };
}

async function drill() {
  const work = mkdtempSync(join(tmpdir(), "x-full-"));
  const disk = join(work, "disk");
  mkdirSync(disk);
  // It goes with the namespace.
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
  let [passed, failed, refusals] = [0, 0, 0];
  const git = stockGit(work);
  const scenes = makeScenes(git, work);
  try {
    const server = await startOurs(bin, disk, git.env);
    try {
      for (const scene of scenes) {
        let refused = 0;
        for (let pages = 0; ; pages++) {
          if (pages > MAX_PAGES) throw new Error(`${scene.title} never succeeds`);
          const { isDone, problems } = await runCell(
            git,
            scene,
            join(disk, "repo.git"),
            disk,
            server.port,
            pages,
          );
          if (problems.length === 0) passed++;
          else failed++;
          for (const problem of problems) console.log(`${scene.title}, ${pages} pages free: ${problem}`);
          if (isDone) break;
          refused++;
        }
        console.log(`${scene.title}: refused ${refused} times for want of space, then done`);
        refusals += refused;
      }
    } finally {
      await server.stop();
    }
  } finally {
    execFileSync("umount", [disk]);
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  // A disk that is never full shows nothing.
  return failed === 0 && refusals > scenes.length ? 0 : 1;
}

if (process.env[INSIDE] === undefined) {
  const script = fileURLToPath(import.meta.url);
  const { status, error } = spawnSync("unshare", ["--map-root-user", "--mount", process.execPath, script], {
    env: { ...process.env, [INSIDE]: "1" },
    stdio: "inherit",
  });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
} else process.exitCode = await drill();
