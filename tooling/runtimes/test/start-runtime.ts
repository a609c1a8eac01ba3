import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "@tooling/test-kit";

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("..", import.meta.url));

/** A runtime that serves the app. */
export interface Running {
  readonly port: number;
  /** Where it serves git://, if it can. */
  readonly gitPort?: number;
  /** What it said of itself on standard error. */
  readonly complaints: () => string;
  stop(): Promise<void>;
}

export const RUNTIMES = ["node-20", "node-22", "node-24", "bun", "deno", "workerd"] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** Where the binary is, and how it is asked for its version. */
export function binaryOf(runtime: Runtime): string {
  if (runtime === "bun") return `${root}node_modules/@oven/bun-linux-x64/bin/bun`;
  if (runtime === "deno") return `${root}node_modules/@deno/linux-x64-glibc/deno`;
  if (runtime === "workerd") return `${root}node_modules/@cloudflare/workerd-linux-64/bin/workerd`;
  return `${root}node_modules/${runtime}/bin/node`;
}

async function argumentsOf(runtime: Runtime): Promise<readonly string[]> {
  switch (runtime) {
    case "bun":
      return ["--no-install", "apps/bun.mjs"];
    case "deno":
      return [
        "run",
        "--no-config",
        "--no-lock",
        "--no-remote",
        "--no-prompt",
        "--node-modules-dir=manual",
        "--allow-net=127.0.0.1",
        "apps/deno.mjs",
      ];
    case "workerd":
      return ["serve", "--control-fd=3", await workerdConfig()];
    default:
      return ["apps/node.mjs"];
  }
}

/** What Deno tells whoever looks at a request's signal: it is aborted in the end, however it went. We do not mind. */
const DENO_NOTICE = /^Deno\.serve: request\.signal aborts on successful responses \(legacy behavior\).*\n/;

/** Starts the app and waits until it listens. */
export async function start(runtime: Runtime): Promise<Running> {
  const home = temporaryDirectory("runtime");
  const child = spawn(binaryOf(runtime), await argumentsOf(runtime), {
    cwd: root,
    env: { PATH: "/usr/bin:/bin", HOME: home, TMPDIR: home, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let complaints = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  try {
    const ports = await firstLine(child, runtime === "workerd" ? child.stdio[3] : child.stdout);
    return { ...ports, complaints: () => complaints.replace(DENO_NOTICE, ""), stop };
  } catch (error) {
    await stop();
    throw new Error(`${runtime} did not start: ${complaints}`, { cause: error });
  }
}

function firstLine(child: ChildProcess, stream: unknown): Promise<{ port: number; gitPort?: number }> {
  return new Promise((resolve, reject) => {
    let text = "";
    (stream as Readable).setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.includes("\n")) resolve(JSON.parse(text.slice(0, text.indexOf("\n"))));
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error("it ended")));
  });
}

/** workerd takes one file of modules and a description of what to serve. */
async function workerdConfig(): Promise<string> {
  const directory = temporaryDirectory("workerd");
  // esbuild is tsup's.
  const { build } = createRequire(require.resolve("tsup"))("esbuild");
  await build({
    entryPoints: [`${root}apps/worker.mjs`],
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker"],
    outfile: `${directory}/worker.js`,
    logLevel: "silent",
  });
  const config = `${directory}/config.capnp`;
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "git", worker = .git)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "git")],
);
const git :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2026-11-01",
);
`,
  );
  return config;
}
