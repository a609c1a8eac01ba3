import { type ExecFileException, execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** What a finished program left behind. */
export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run stock git. */
export interface GitOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds; 60,000 when not given. */
  readonly timeoutMs?: number;
}

let home: string | undefined;

/** An environment in which git sees nobody's settings and makes the same commits every time. */
export function gitEnvironment(): Record<string, string> {
  home ??= temporaryDirectory("home");
  return {
    PATH: process.env.PATH ?? "",
    HOME: home,
    LC_ALL: "C",
    TZ: "UTC",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "A U Thor",
    GIT_AUTHOR_EMAIL: "author@example.com",
    GIT_AUTHOR_DATE: "1112911993 -0700",
    GIT_COMMITTER_NAME: "C O Mitter",
    GIT_COMMITTER_EMAIL: "committer@example.com",
    GIT_COMMITTER_DATE: "1112911993 -0700",
    GIT_CONFIG_COUNT: "3",
    GIT_CONFIG_KEY_0: "init.defaultBranch",
    GIT_CONFIG_VALUE_0: "main",
    GIT_CONFIG_KEY_1: "safe.directory",
    GIT_CONFIG_VALUE_1: "*",
    GIT_CONFIG_KEY_2: "maintenance.auto",
    GIT_CONFIG_VALUE_2: "false",
  };
}

/** Runs stock git to its end; never throws for an exit status. Output is latin1, so that bytes survive. */
export function tryGit(args: readonly string[], options: GitOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(
      "git",
      [...args],
      {
        cwd: options.cwd,
        env: { ...gitEnvironment(), ...options.env },
        encoding: "latin1",
        maxBuffer: 1 << 30,
        timeout: options.timeoutMs ?? 60_000,
      },
      (error: ExecFileException | null, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : 255;
        resolve({ status, stdout, stderr });
      },
    );
    child.stdin?.on("error", () => {}); // git may end before it has read everything
    child.stdin?.end(options.input ?? "");
  });
}

/** Runs stock git and gives its output without the last line feed. @throws Error when it fails */
export async function git(args: readonly string[], options: GitOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await tryGit(args, options);
  if (status !== 0) throw new Error(`git ${args.join(" ")} exited ${status}: ${stderr}${stdout}`);
  return stdout.replace(/\n$/, "");
}

const made: string[] = [];

/** A new directory that goes when the test file is done. */
export function temporaryDirectory(label = "test"): string {
  const directory = mkdtempSync(join(tmpdir(), `x-${label}-`));
  made.push(directory);
  return directory;
}

afterAll(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
  home = undefined;
});
