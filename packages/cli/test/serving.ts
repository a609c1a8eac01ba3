import { createTestRepository, git, temporaryDirectory } from "@tooling/test-kit";
import { onTestFinished } from "vitest";
import { main } from "../src/main.ts";
import { FakeTerminal, until } from "./terminal.ts";

/** A server that runs. */
export interface Serving {
  readonly terminal: FakeTerminal;
  readonly status: Promise<number>;
  readonly http: string;
  readonly https: string;
  readonly git: string;
}

/** `xgit serve` with these arguments, once it has greeted. */
export async function start(...argv: string[]): Promise<Serving> {
  return startWith({}, ...argv);
}

/** The same with variables in the environment. */
export async function startWith(env: Record<string, string>, ...argv: string[]): Promise<Serving> {
  const terminal = new FakeTerminal(env);
  const status = main(["serve", ...argv], terminal);
  onTestFinished(async () => {
    if (terminal.signal(143)) terminal.signal(143);
    await status;
  });
  await until(() => terminal.out.includes("\n") || terminal.err !== "");
  const url = (scheme: string) => new RegExp(`${scheme}://127.0.0.1:\\d+`).exec(terminal.out)?.[0] ?? "none";
  return { terminal, status, http: url("http"), https: url("https"), git: url("git") };
}

/** A directory with one repository that has one commit. */
export async function newRoot(): Promise<string> {
  const root = temporaryDirectory("root");
  const source = await createTestRepository();
  await source.commit("first");
  await git(["clone", "-q", "--bare", source.directory, `${root}/demo.git`]);
  return root;
}

/** Any ports. */
export const FREE: readonly string[] = ["--http-port", "0", "--git-port", "0"];
