import { realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { RefStore } from "@x/refs";
import { type FileConfig, readRepositoryConfig } from "../config/repository-config.ts";
import { readdir } from "../disk/quick-files.ts";
import { readSmallFile } from "../disk/small-file.ts";
import type { WorkerPool } from "../pool/worker-pool.ts";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import { layoutAt, looksBare, type RepositoryLayout } from "../repository/layout.ts";
import { readRepositoryFormat } from "../repository/repository-format.ts";
import { createWorkTreeUpdate, type WorkTreeUpdate } from "./work-tree.ts";

/** Files checked out of a repository on disk. Fits server-core's `WorkTree` by its shape. */
export interface FileWorkTree {
  /** Where the files are. Absolute. */
  readonly directory: string;
  /** The branch that its `HEAD` stands for, or that is being rebased or bisected there. */
  readonly branch: string | undefined;
  readonly update: WorkTreeUpdate;
}

/** The repository whose work trees {@link listWorkTrees} looks for. */
export interface WorkTreesOf {
  /** Of the repository, or of one of its work trees. */
  readonly layout: RepositoryLayout;
  readonly refs: RefStore;
  readonly location: StoreLocation;
  /** The repository's own settings. */
  readonly own: FileConfig;
  /** Settings to go by instead of the repository's own: then they are the operator's, and `core.worktree` may lead anywhere. */
  readonly config: FileConfig | undefined;
  /** A new index is to have reached the disk. */
  readonly sync: boolean;
}

/** Unit: bytes. */
const MAX_LINE_FILE_BYTES = 64 * 1024;

/** Symbolic refs that follow each other, as git has it. */
const MAX_HOPS = 5;

/**
 * The work trees of a repository, the main one first. Linked ones count even if their files are gone.
 * A work tree is changed only if its `.git` leads back here: what a repository says of itself lets nobody write elsewhere.
 * Spec: git-worktree, "DETAILS"; gitrepository-layout, `worktrees`.
 */
export async function listWorkTrees(pool: WorkerPool, of: WorkTreesOf): Promise<readonly FileWorkTree[]> {
  const { commonDirectory } = of.layout;
  const main = await mainWorkTree(pool, of, layoutAt(commonDirectory));
  const found = await readdir(`${commonDirectory}/worktrees`).catch(() => []);
  const names = found.map((name) => Buffer.from(name, "latin1").toString("utf8"));
  const linked = await Promise.all(names.sort().map((name) => linkedWorkTree(pool, of, name)));
  return [main, ...linked].filter((tree) => tree !== undefined);
}

async function mainWorkTree(
  pool: WorkerPool,
  of: WorkTreesOf,
  layout: RepositoryLayout,
): Promise<FileWorkTree | undefined> {
  const own = layout.gitDirectory === of.layout.gitDirectory ? of.own : await readRepositoryConfig(layout);
  if (readRepositoryFormat(own).bare ?? looksBare(layout)) return undefined;
  const config = of.config ?? own;
  const named = config.get("core.worktree");
  const directory =
    named === undefined
      ? layout.gitDirectory.replace(/\/\.git$/, "")
      : resolve(layout.gitDirectory, Buffer.from(named, "latin1").toString("utf8"));
  const isOurs =
    of.config !== undefined || named === undefined || (await leadsTo(directory, layout.gitDirectory));
  const isApart = directory !== layout.gitDirectory;
  return workTree(pool, of, {
    layout,
    directory,
    config,
    head: "main-worktree/HEAD",
    mayWrite: isOurs && isApart,
  });
}

async function linkedWorkTree(
  pool: WorkerPool,
  of: WorkTreesOf,
  name: string,
): Promise<FileWorkTree | undefined> {
  const { commonDirectory } = of.layout;
  const layout = layoutAt(`${commonDirectory}/worktrees/${name}`, commonDirectory);
  const line = await readLine(`${layout.gitDirectory}/gitdir`);
  if (line === undefined) return undefined;
  const directory = dirname(resolve(layout.gitDirectory, line));
  const config = of.config ?? (await readRepositoryConfig(layout));
  const mayWrite = await leadsTo(directory, layout.gitDirectory);
  return workTree(pool, of, { layout, directory, config, head: `worktrees/${name}/HEAD`, mayWrite });
}

interface Found {
  readonly layout: RepositoryLayout;
  readonly directory: string;
  readonly config: FileConfig;
  /** What the refs call its `HEAD`. */
  readonly head: string;
  readonly mayWrite: boolean;
}

async function workTree(
  pool: WorkerPool,
  { layout: opened, refs, location, sync }: WorkTreesOf,
  { layout, directory, config, head, mayWrite }: Found,
): Promise<FileWorkTree> {
  const own = layout.gitDirectory === opened.gitDirectory ? "HEAD" : head;
  const branch = (await branchOf(refs, own)) ?? (await busyBranch(layout.gitDirectory));
  const update: WorkTreeUpdate = mayWrite
    ? createWorkTreeUpdate(pool, { layout, directory, location, config, sync })
    : async () => "denyCurrentBranch = updateInstead needs a worktree";
  return { directory, branch, update };
}

/** What `HEAD` leads to in the end; `undefined` when it is detached. */
async function branchOf(refs: RefStore, head: string): Promise<string | undefined> {
  let name: string | undefined;
  for (let hops = 0; hops <= MAX_HOPS; hops++) {
    const target = (await refs.get(name ?? head))?.target;
    if (target?.kind !== "symbolic") return name;
    name = target.name;
  }
  return name;
}

/** The branch that a rebase or a bisection has taken `HEAD` away from. */
async function busyBranch(gitDirectory: string): Promise<string | undefined> {
  for (const file of ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"]) {
    const line = await readLine(`${gitDirectory}/${file}`);
    if (line === undefined) continue;
    if (line.startsWith("refs/heads/")) return line;
    if (file === "BISECT_START") return `refs/heads/${line}`;
  }
  return undefined;
}

/** Whether `.git` in `directory` is `gitDirectory`, or a file that names it. */
async function leadsTo(directory: string, gitDirectory: string): Promise<boolean> {
  const dotGit = `${directory}/.git`;
  if (dotGit === gitDirectory) return true;
  const line = await readLine(dotGit);
  if (!line?.startsWith("gitdir: ")) return false;
  const named = resolve(directory, line.slice("gitdir: ".length));
  return named === gitDirectory || (await isSameDirectory(named, gitDirectory));
}

async function isSameDirectory(some: string, other: string): Promise<boolean> {
  const [one, two] = await Promise.all(
    [realpath(some), realpath(other)].map((path) => path.catch(() => undefined)),
  );
  return one !== undefined && one === two;
}

async function readLine(path: string): Promise<string | undefined> {
  const file = await readSmallFile(path, { maxBytes: MAX_LINE_FILE_BYTES, followSymlink: false });
  if (typeof file === "string") return undefined;
  const line = file.toString("utf8").replace(/[\r\n]+$/, "");
  return line === "" || line.includes("\0") ? undefined : line;
}
