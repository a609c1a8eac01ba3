import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { ArchiveEvent } from "@x/objects";
import { ServiceError } from "@x/server-core";
import type { FilterPlace } from "./archive-filters.ts";
import { merged } from "./merged.ts";

/** A program that reads a tar file and writes an archive. */
export interface FilterProgram extends FilterPlace {
  /** The shell's to read if it has anything in it that means something to one. One character for each byte. */
  readonly command: string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Sends a tar file through a program, which goes with all that it has started when the archive is left early.
 * @throws ServiceError `server-core/repository-unusable`, in git's words, when the program fails or reads too little
 */
export async function* runFilter(
  { command, directory, env }: FilterProgram,
  tar: AsyncIterable<ArchiveEvent>,
  { level, signal }: { readonly level: number | undefined; readonly signal: AbortSignal },
): AsyncGenerator<ArchiveEvent, void> {
  signal.throwIfAborted();
  const words = level === undefined ? command : `${command} -${level}`;
  const child = start(words, directory, env);
  let isClosed = false;
  const ended = new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(`unable to start '${words}' filter: ${reasonOf(error)}`));
    child.once("close", (status) => {
      isClosed = true;
      resolve(status === 0 ? undefined : `'${words}' filter reported error`);
    });
  });
  const kill = () => {
    if (isClosed || child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nobody is left in the group.
    }
  };
  signal.addEventListener("abort", kill, { once: true });
  running.add(kill);
  if (running.size === 1) process.on("exit", killAll);
  try {
    let unread = false;
    const fed = feed(child.stdin, tar, () => {
      unread = true;
    });
    yield* merged([fed, bytesOf(child.stdout), messagesOf(child.stderr)]);
    const failure = await ended;
    signal.throwIfAborted();
    const why = failure ?? (unread ? `'${words}' filter did not read all` : undefined);
    if (why !== undefined) throw new ServiceError("server-core/repository-unusable", why);
  } finally {
    kill();
    child.stdin.destroy();
    signal.removeEventListener("abort", kill);
    running.delete(kill);
    if (running.size === 0) process.off("exit", killAll);
  }
}

/** What ends the programs that run: none outlives this process where that can be helped. */
const running = new Set<() => void>();

function killAll(): void {
  for (const kill of running) kill();
}

function start(words: string, directory: string, env: FilterPlace["env"]): Child {
  const options = {
    cwd: directory,
    env: { ...env, GIT_DIR: "." },
    stdio: ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"],
    // A group of its own, so that what it starts can be ended with it.
    detached: true,
  };
  const text = Buffer.from(words, "latin1").toString("utf8");
  if (!/[|&;<>()$`\\"' \t\n*?[#~=%]/.test(text)) return spawn(text, options);
  return spawn("sh", ["-c", text, text], options);
}

function reasonOf(error: Error): string {
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "No such file or directory";
  return code === "EACCES" ? "Permission denied" : String(code);
}

/** Writes no faster than is read; gives the messages on the way. */
async function* feed(
  stdin: Writable,
  tar: AsyncIterable<ArchiveEvent>,
  onUnread: () => void,
): AsyncGenerator<ArchiveEvent, void> {
  stdin.on("error", () => {}); // seen by its being destroyed
  for await (const event of tar) {
    if (event.kind === "message") yield event;
    else if (!stdin.destroyed && !stdin.write(event.bytes)) await drained(stdin);
    if (stdin.destroyed) return onUnread();
  }
  await new Promise<void>((resolve) => {
    stdin.once("close", resolve).once("error", () => onUnread());
    stdin.end(resolve);
  });
}

function drained(stdin: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stdin.off("drain", done).off("close", done);
      resolve();
    };
    stdin.on("drain", done).on("close", done);
  });
}

async function* bytesOf(stdout: Readable): AsyncGenerator<ArchiveEvent, void> {
  for await (const chunk of stdout) yield { kind: "bytes", bytes: new Uint8Array(chunk as Buffer) };
}

async function* messagesOf(stderr: Readable): AsyncGenerator<ArchiveEvent, void> {
  for await (const chunk of stderr) yield { kind: "message", text: (chunk as Buffer).toString("latin1") };
}
