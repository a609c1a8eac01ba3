// The two sides: C git's daemon and ours, started on the same directory.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const CGI_SERVER = fileURLToPath(new URL("cgi-server.mjs", import.meta.url));

/** Starts `git daemon`. */
export async function startGit(git, directory) {
  const port = await freePort();
  // Started directly: below the `git` wrapper its time would be counted only when the wrapper ends.
  const daemon = join(git.execPath, "git-daemon");
  if (!existsSync(daemon)) throw new Error(`${daemon} is missing; the rig needs git with its daemon`);
  return await started(daemon, port, git.env, [
    "--export-all",
    "--reuseaddr",
    "--listen=127.0.0.1",
    `--port=${port}`,
    "--enable=receive-pack",
    "--enable=upload-archive",
    `--base-path=${directory}`,
    directory,
  ]);
}

/** Starts `git http-backend` behind a web server of the rig. */
export async function startGitHttp(git, directory) {
  const port = await freePort();
  const backend = join(git.execPath, "git-http-backend");
  if (!existsSync(backend)) throw new Error(`${backend} is missing; the rig needs git with its http-backend`);
  const server = await started(process.execPath, port, git.env, [
    CGI_SERVER,
    backend,
    String(port),
    directory,
  ]);
  return { ...server, httpPort: port, childrenOnly: true };
}

/** Starts `xgit serve`. */
export async function startOurs(bin, directory, env) {
  const port = await freePort();
  const httpPort = await freePort();
  const server = await started(process.execPath, port, env, [
    bin,
    "serve",
    directory,
    "--host",
    "127.0.0.1",
    "--http-port",
    String(httpPort),
    "--git-port",
    String(port),
    "--enable",
    "receive-pack",
    "--enable",
    "upload-archive",
    "--create-on-push",
    "--quiet",
  ]);
  return { ...server, httpPort };
}

/** Starts `xgit daemon` for as many connections as there may come. */
export async function startOurDaemon(bin, directory, env) {
  const port = await freePort();
  return await started(process.execPath, port, env, [
    bin,
    "daemon",
    "--export-all",
    "--listen=127.0.0.1",
    `--port=${port}`,
    "--max-connections=0",
    `--base-path=${directory}`,
  ]);
}

async function started(command, port, env, args) {
  const child = spawn(command, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-4000);
  });
  const ended = new Promise((resolve) => {
    child.on("exit", resolve);
    child.on("error", resolve);
  });
  for (let tries = 0; !(await accepts(port)); tries++) {
    if (child.exitCode !== null || tries > 200) {
      child.kill("SIGKILL");
      throw new Error(`${command} ${args.join(" ")} does not listen: ${said}`);
    }
    await sleep(50);
  }
  return {
    pid: child.pid,
    port,
    /** @throws Error when it has ended before it was told to */
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${command} ended by itself, ${child.signalCode ?? child.exitCode}: ${said}`);
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 5000);
      await ended;
      clearTimeout(late);
    },
  };
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => resolve(true) || socket.destroy());
    socket.on("error", () => resolve(false));
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
