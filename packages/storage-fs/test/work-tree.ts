import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { git, temporaryDirectory, tryGit } from "@tooling/test-kit";
import type { ObjectFormat, ObjectId } from "@x/objects";
import { createWorkTreeUpdate, findRepository, readRepositoryConfig, type WorkerPool } from "../src/index.ts";
import { locationOf } from "./made-repository.ts";

/** Files by their paths: content, or what `git update-index --cacheinfo` makes of `mode` and `id`. */
export type Files = Readonly<Record<string, string | FileSpec>>;

/** A file that is more than text. */
interface FileSpec {
  readonly content: string;
  /** `120000` for a symlink; the content is where it leads, or for `160000` the id. */
  readonly mode: "100755" | "120000" | "160000";
}

/** A repository with a work tree, and one beside it that holds what is pushed to it. */
export interface PushedTo {
  readonly directory: string;
  readonly source: string;
  readonly format: ObjectFormat;
  readonly from: ObjectId | undefined;
  readonly to: ObjectId;
  git(...args: string[]): Promise<string>;
  remove(): void;
}

/** Commits exactly these files, without a work tree. */
async function commitFiles(directory: string, files: Files, parent?: string): Promise<ObjectId> {
  const marks = `${temporaryDirectory("marks")}/marks`;
  const commands = Object.entries(files).map(([path, file]) => {
    const { content, mode } = typeof file === "string" ? { content: file, mode: "100644" } : file;
    if (mode === "160000") return `M 160000 ${content} "${path}"\n`;
    return `M ${mode} inline "${path}"\ndata ${Buffer.byteLength(content)}\n${content}\n`;
  });
  const head = "commit refs/heads/made\nmark :1\ncommitter C <c@example.com> 1600000000 +0000\ndata 1\nx\n";
  const from = parent === undefined ? "" : `from ${parent}\n`;
  const input = `reset refs/heads/made\n${head}${from}deleteall\n${commands.join("")}\n`;
  await git(["fast-import", "--quiet", "--force", `--export-marks=${marks}`], { cwd: directory, input });
  return readFileSync(marks, "utf8").trim().split(" ")[1] as ObjectId;
}

/** Makes a repository with `from` checked out, and another with `to`. */
export async function makePushedTo(
  from: Files | undefined,
  to: Files,
  options: { readonly format?: ObjectFormat; readonly config?: Readonly<Record<string, string>> } = {},
): Promise<PushedTo> {
  const { format = "sha1", config = {} } = options;
  const root = temporaryDirectory("pushed-to");
  const source = `${root}/source`;
  const directory = `${root}/there`;
  await git(["init", "-q", "--bare", `--object-format=${format}`, source]);
  await git(["init", "-q", "-b", "main", `--object-format=${format}`, directory]);
  const run = (...args: string[]) => git(args, { cwd: directory });
  const remove = () => rmSync(root, { recursive: true, force: true });
  await run("config", "receive.denyCurrentBranch", "updateInstead");
  for (const [key, value] of Object.entries(config)) await run("config", key, value);
  const first = from === undefined ? undefined : await commitFiles(source, from);
  if (first !== undefined) {
    await run("fetch", "-q", source, first);
    await run("reset", "-q", "--hard", first);
  }
  const second = await commitFiles(source, to, first);
  return { directory, source, format, from: first, to: second, git: run, remove };
}

/** What became of a push: the words beside the ref, if it was refused. */
export async function pushWithGit({ source, directory, to }: PushedTo): Promise<string | undefined> {
  const { status, stdout, stderr } = await tryGit(
    ["push", "--porcelain", directory, `+${to}:refs/heads/main`],
    { cwd: source },
  );
  if (status === 0) return undefined;
  const match = /\[remote rejected\] \((.*)\)/.exec(stdout + stderr);
  if (match === null) throw new Error(stdout + stderr);
  return match[1];
}

/** The same by our own means, the ref moved by git. */
export async function pushWithUpdate(
  pool: WorkerPool,
  { source, directory, format, from, to, ...there }: PushedTo,
  messages: string[] = [],
): Promise<string | undefined> {
  await git(["fetch", "-q", source, to], { cwd: directory, env: { GIT_INDEX_FILE: "none" } });
  const layout = await findRepository(directory);
  if (layout === undefined) throw new Error("no repository");
  const update = createWorkTreeUpdate(pool, {
    layout,
    directory,
    location: locationOf(layout.commonDirectory, format),
    config: await readRepositoryConfig(layout),
  });
  const refusal = await update(from, to, { onMessage: (line) => messages.push(line) });
  if (refusal === undefined) await there.git("update-ref", "refs/heads/main", to);
  return refusal;
}

/** All that can be seen of a work tree: its files, the index, what git says of both. */
export async function stateOf({ directory }: Pick<PushedTo, "directory">): Promise<object> {
  const run = async (...args: string[]) => (await tryGit(args, { cwd: directory })).stdout;
  return {
    files: filesUnder(directory),
    status: await run("status", "--porcelain", "--untracked-files=all"),
    index: await run("ls-files", "-s", "-v"),
    head: await run("rev-parse", "-q", "--verify", "HEAD"),
    locked: readdirSync(`${directory}/.git`).includes("index.lock"),
  };
}

function filesUnder(directory: string, prefix = ""): string[] {
  return readdirSync(`${directory}/${prefix}`)
    .sort()
    .flatMap((name) => {
      const path = `${prefix}${name}`;
      if (path === ".git") return [];
      const stats = lstatSync(`${directory}/${path}`);
      if (stats.isDirectory()) return [`${path}/`, ...filesUnder(directory, `${path}/`)];
      if (stats.isSymbolicLink()) return [`${path} -> ${readlinkSync(`${directory}/${path}`)}`];
      const mode = (stats.mode & 0o777).toString(8);
      return [`${path} ${mode} ${JSON.stringify(readFileSync(`${directory}/${path}`, "latin1"))}`];
    });
}
