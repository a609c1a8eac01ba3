import { cpSync } from "node:fs";
import { createTestRepository, git, tryGit } from "@tooling/test-kit";

/** When the first commit of {@link makeRich} was made, and how far apart the others are. Unit: seconds. */
export const START = 1_112_911_993;
export const STEP = 1000;

/**
 * A repository with what repositories have: merged and open branches, one with a slash; light, annotated and nested tags,
 * tags of a tree and of a blob; notes and other refs; a symbolic branch; a file that grows; objects and refs in packs and
 * loose. Bare, at `directory`.
 */
export async function makeRich(directory: string, objectFormat: "sha1" | "sha256"): Promise<void> {
  const source = await createTestRepository({ objectFormat });
  let when = START;
  const commit = (message: string, files?: Readonly<Record<string, string>>) => {
    when += STEP;
    return source.commit(message, files, when);
  };
  const lines = (count: number) =>
    Array.from({ length: count }, (_, i) => `line ${i} of the file\n`).join("");
  for (let i = 1; i <= 5; i++) await commit(`c${i}`, { grows: lines(i * 20), [`file-${i}`]: `${i}\n` });
  await source.git("tag", "light", "HEAD~2");
  await source.git("tag", "-a", "-m", "one", "v1", "HEAD~1");
  await source.git("tag", "-a", "-m", "of a tag", "nested", "v1");
  await source.git("switch", "-q", "-c", "team/side", "HEAD~2");
  for (let i = 1; i <= 3; i++) await commit(`s${i}`, { side: lines(i * 10) });
  await source.git("switch", "-q", "main");
  await source.git("merge", "-q", "--no-edit", "--no-ff", "team/side~1");
  await source.git("tag", "tree", "HEAD^{tree}");
  await source.git("tag", "-a", "-m", "of a blob", "blob", "HEAD:side");
  await source.git("notes", "add", "-m", "noted", "HEAD");
  await git(["clone", "-q", "--mirror", source.directory, directory]);
  await git(["repack", "-adfq"], { cwd: directory });
  await git(["pack-refs", "--all"], { cwd: directory });
  // From here on loose, beside the pack.
  for (let i = 6; i <= 8; i++) await commit(`c${i}`, { grows: lines(i * 20) });
  await source.git("switch", "-q", "-c", "lonely", "HEAD~1");
  await commit("l1", { lonely: "l\n" });
  await source.git("tag", "-a", "-m", "two", "v2", "main");
  await source.git("update-ref", "refs/pull/1/head", "lonely");
  await source.git("branch", "-D", "-q", "team/side");
  await source.git("switch", "-q", "main");
  await source.git("push", "-q", directory, "main", "lonely", "v2", "refs/pull/*:refs/pull/*");
  await git(["symbolic-ref", "refs/heads/alias", "refs/heads/lonely"], { cwd: directory });
  await git(["remote", "remove", "origin"], { cwd: directory });
}

/** A byte for byte copy of a repository. */
export function copyRepository(from: string, to: string): string {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
  return to;
}

/** Commits made by {@link grow} so far: no two are alike. */
let grown = 0;

/** Adds commits to a branch of any repository, as if somebody else had pushed them. @returns the new tip */
export async function grow(directory: string, branch: string, count: number): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const exists = (await tryGit(["rev-parse", "-q", "--verify", ref], { cwd: directory })).status === 0;
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const text = `${branch} ${++grown}`;
    const when = `C O Mitter <committer@example.com> ${START + 20 * STEP + grown} +0000`;
    lines.push(`commit ${ref}`, `committer ${when}`, `data ${text.length}`, text);
    if (i === 0 && exists) lines.push(`from ${ref}^0`);
    lines.push("M 100644 inline grown", `data ${text.length}`, text, "");
  }
  await git(["fast-import", "--quiet"], { cwd: directory, input: lines.join("\n") });
  return git(["rev-parse", ref], { cwd: directory });
}
