import { existsSync, readdirSync, readFileSync } from "node:fs";
import { git, tryGit } from "@tooling/test-kit";
import { expect } from "vitest";

/** What HEAD says, in a bare repository or in a work tree. */
function headOf(directory: string): string {
  const file = [`${directory}/.git/HEAD`, `${directory}/HEAD`].find((path) => existsSync(path));
  return readFileSync(file as string, "latin1").trim();
}

/** What a repository's refs are: HEAD, every ref, symbolic ones as such, and the shallow boundary. */
export async function refsOf(directory: string): Promise<string[]> {
  const list = await git(["for-each-ref", "--format=%(refname) %(objectname) %(symref)"], { cwd: directory });
  return [`HEAD ${headOf(directory)}`, ...list.split("\n"), ...boundaryOf(directory)];
}

/** The shallow boundary, in order. */
export function boundaryOf(directory: string): string[] {
  const file = ["shallow", ".git/shallow"]
    .map((name) => `${directory}/${name}`)
    .find((path) => existsSync(path));
  return file === undefined
    ? []
    : [...new Set(readFileSync(file, "latin1").trim().split("\n"))].sort().map((id) => `shallow ${id}`);
}

/** Every object that lies there, reachable or not, with type and size. */
export async function objectsOf(directory: string): Promise<string[]> {
  return (await git(["cat-file", "--batch-check", "--batch-all-objects"], { cwd: directory })).split("\n");
}

/** Every object that some ref reaches. */
export async function reachableIn(directory: string): Promise<string[]> {
  const list = await git(["rev-list", "--objects", "--all"], { cwd: directory });
  return list
    .split("\n")
    .map((line) => line.split(" ")[0] as string)
    .sort();
}

/** `git fsck --strict` has nothing to say. */
export async function expectSound(directory: string): Promise<void> {
  const { status, stdout, stderr } = await tryGit(["fsck", "--strict", "--no-dangling", "--no-progress"], {
    cwd: directory,
  });
  // A HEAD that waits for its first commit is no fault.
  const said = (stdout + stderr).replace(/^notice: .*\n/gm, "");
  expect({ status, said }, directory).toEqual({ status: 0, said: "" });
}

/** What a push or its end may have left behind: locks, quarantines, temporary files. */
export function leftoversIn(directory: string): string[] {
  return (readdirSync(directory, { recursive: true, encoding: "latin1" }) as string[])
    .filter((path) => /\.(?:lock|new|keep)$|(?:^|\/)(?:tmp_|\.tmp)/.test(path))
    .sort();
}
