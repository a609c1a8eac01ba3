// One push to `xgit receive-pack`, whose system calls strace watches from the moment the refs are announced.
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Longer than any cell takes. Unit: milliseconds. */
const TIMEOUT_MS = 30_000;

/**
 * @param {{ bin: string, directory: string, request: Buffer, env: Record<string, string>, strace: readonly string[] }} what
 * @returns what the client was told, and how the server ended
 */
export async function pushUnder({ bin, directory, request, env, strace }) {
  const server = spawn(process.execPath, [bin, "receive-pack", directory], {
    env: { ...env, UV_THREADPOOL_SIZE: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const timer = setTimeout(() => server.kill("SIGKILL"), TIMEOUT_MS);
  const ended = once(server, "exit");
  let told = "";
  let said = "";
  server.stderr.on("data", (chunk) => {
    said += chunk;
  });
  server.stdin.on("error", () => {}); // it may be dead by now
  const announced = new Promise((resolve) => {
    server.stdout.on("data", (chunk) => {
      told += chunk.toString("latin1");
      if (told.endsWith("0000")) resolve();
    });
  });
  await Promise.race([announced, ended]);
  const closed = once(server.stdout, "close");
  const tracer = await attach(server.pid, strace, env);
  told = "";
  server.stdin.end(request);
  const [status, signal] = await ended;
  await closed;
  clearTimeout(timer);
  await tracer.ended;
  return { told, said, status, signal };
}

/** @returns once strace watches, with a promise of its end inside */
export async function attach(pid, args, env) {
  const tracer = spawn("strace", ["-f", ...args, "-p", String(pid)], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(tracer, "exit");
  let said = "";
  await new Promise((resolve, reject) => {
    tracer.on("error", reject);
    tracer.stderr.on("data", (chunk) => {
      said += chunk;
      if (/attached/.test(said)) resolve();
    });
    void ended.then(() => reject(new Error(`strace: ${said}`)));
  });
  return { ended };
}

/** What the report says: names of refs that are done, and why others are not. Spec: gitprotocol-pack, "Report Status". */
export function readReport(told) {
  const done = new Set([...told.matchAll(/ok (refs\/\S+?)\n?(?=[0-9a-f]{4}|$)/g)].map(([, name]) => name));
  return { unpacked: /unpack ok/.test(told), done, refused: /ng refs\//.test(told) };
}
