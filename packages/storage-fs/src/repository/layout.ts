import { access, constants, lstat, readlink, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { readSmallFile } from "../disk/small-file.ts";

/*
 * A git directory has HEAD; what it shares with its work trees lies in the common directory, which is itself unless a
 * file `commondir` names another: config, packed-refs, refs/, objects/.
 * A work tree's `.git` is that directory or a file `gitdir: <path>`.
 */

/** Where the parts of a repository lie. Absolute paths, symlinks not resolved. */
export interface RepositoryLayout {
  /** `$GIT_DIR`. */
  readonly gitDirectory: string;
  /** `$GIT_COMMON_DIR`: the same, except in a linked work tree. */
  readonly commonDirectory: string;
  readonly objectsDirectory: string;
  readonly refsDirectory: string;
  readonly packedRefsFile: string;
  readonly configFile: string;
}

/** `HEAD`, `.git` and `commondir` files hold one short line. Unit: bytes. */
const MAX_LINE_FILE_BYTES = 64 * 1024;

/**
 * What C git tries, in its order, for a path that names a repository. Spec: git-upload-pack, `--strict`;
 * gitrepository-layout.
 */
const SUFFIXES = ["/.git", "", ".git/.git", ".git"] as const;

/**
 * Finds the repository that `path` names, as git does for serving: `path/.git`, `path`, `path.git/.git` or `path.git`,
 * each a git directory or a file that points at one.
 * @param options `strict`: `path` itself or nothing
 * @returns `undefined` when there is none
 */
export async function findRepository(
  path: string,
  options: { readonly strict?: boolean } = {},
): Promise<RepositoryLayout | undefined> {
  return (await findRepositoryAt(path, options))?.layout;
}

/** The same, and the path that it was found at: `path`, made absolute, with what had to be put behind it. */
export async function findRepositoryAt(
  path: string,
  options: { readonly strict?: boolean } = {},
): Promise<{ readonly path: string; readonly layout: RepositoryLayout } | undefined> {
  const base = resolve(path);
  for (const suffix of options.strict ? [""] : SUFFIXES) {
    const candidate = base + suffix;
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isDirectory()) {
      const layout = await readLayout(candidate);
      if (layout !== undefined) return { path: candidate, layout };
    } else if (found?.isFile()) {
      const target = await readGitFile(candidate);
      const layout = target === undefined ? undefined : await readLayout(target);
      return layout && { path: candidate, layout };
    }
  }
  return undefined;
}

/**
 * The layout of `gitDirectory`, if it is one: HEAD is sound, and `objects` and `refs` are there.
 * Spec: gitrepository-layout.
 */
export async function readLayout(gitDirectory: string): Promise<RepositoryLayout | undefined> {
  const directory = resolve(gitDirectory);
  if (!(await hasSoundHead(directory))) return undefined;
  const common = await readLineFile(`${directory}/commondir`);
  if (common === "unreadable") return undefined;
  const layout = layoutAt(directory, common === undefined ? directory : resolve(directory, common));
  return (await isSearchable(layout.objectsDirectory)) && (await isSearchable(layout.refsDirectory))
    ? layout
    : undefined;
}

/** The layout of a git directory that is known to be sound. */
export function layoutAt(gitDirectory: string, commonDirectory: string = gitDirectory): RepositoryLayout {
  return {
    gitDirectory,
    commonDirectory,
    objectsDirectory: `${commonDirectory}/objects`,
    refsDirectory: `${commonDirectory}/refs`,
    packedRefsFile: `${commonDirectory}/packed-refs`,
    configFile: `${commonDirectory}/config`,
  };
}

/** Whether no work tree belongs to the repository, going by its directory's name alone; `core.bare` knows better. */
export function looksBare(layout: RepositoryLayout): boolean {
  return basename(layout.gitDirectory) !== ".git" && layout.gitDirectory === layout.commonDirectory;
}

async function readGitFile(path: string): Promise<string | undefined> {
  const line = await readLineFile(path);
  if (line === undefined || !line.startsWith("gitdir: ")) return undefined;
  return resolve(dirname(path), line.slice("gitdir: ".length));
}

async function readLineFile(path: string): Promise<string | "unreadable" | undefined> {
  const file = await readSmallFile(path, { maxBytes: MAX_LINE_FILE_BYTES, followSymlink: true });
  if (typeof file === "string") return file === "missing" ? undefined : "unreadable";
  const line = file.toString("utf8").replace(/[\r\n]+$/, "");
  return line === "" || line.includes("\0") ? "unreadable" : line;
}

async function hasSoundHead(directory: string): Promise<boolean> {
  const path = `${directory}/HEAD`;
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink()) return (await readlink(path)).startsWith("refs/");
  if (!found?.isFile()) return false;
  const file = await readSmallFile(path, { maxBytes: MAX_LINE_FILE_BYTES });
  return typeof file !== "string" && /^(?:ref:\s*refs\/|[0-9a-fA-F]{40})/.test(file.toString("latin1"));
}

async function isSearchable(directory: string): Promise<boolean> {
  const reachable = await access(directory, constants.X_OK).then(
    () => true,
    () => false,
  );
  return reachable && (await stat(directory)).isDirectory();
}
