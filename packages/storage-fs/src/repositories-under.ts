import { lstat, mkdir, realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { createBareRepository, type NewRepositoryOptions } from "./create-repository.ts";
import { StorageFsError, systemCode } from "./errors.ts";
import { findRepository, type RepositoryLayout, readLayout } from "./layout.ts";
import { splitNewRepositoryName, splitRepositoryName } from "./repository-name.ts";

/** How {@link repositoriesUnder} looks. */
export interface RepositoriesUnderOptions {
  /** Directories beside the root that symlinks, `gitdir:` and `commondir` files may lead into. */
  readonly alsoWithin?: readonly string[] | undefined;
}

/** The repositories below one directory, by the names that clients use. */
export interface RepositoriesUnder {
  /** As given, made absolute. */
  readonly root: string;

  /**
   * Finds a repository as git does: NAME/.git, NAME, NAME.git/.git, NAME.git. `name` is what the client wrote, decoded
   * once. All paths of the answer have their symlinks resolved and lie below the root.
   * @returns `undefined` when there is none, when the name is not one, and when the way leads out: all look alike
   */
  find(name: string): Promise<RepositoryLayout | undefined>;

  /**
   * Makes an empty bare repository `NAME.git`, and the directories it lies in.
   * @throws StorageFsError `storage-fs/bad-repository-name`, `storage-fs/repository-exists`
   */
  create(name: string, options: NewRepositoryOptions): Promise<RepositoryLayout>;
}

/** Serves the repositories below `root`, and nothing else. */
export function repositoriesUnder(root: string, options: RepositoriesUnderOptions = {}): RepositoriesUnder {
  const absoluteRoot = resolve(root);
  const allowed = [absoluteRoot, ...(options.alsoWithin ?? []).map((directory) => resolve(directory))];
  const isInside = async (path: string): Promise<boolean> => {
    for (const directory of allowed)
      if (isBelow(path, await realpath(directory).catch(() => directory))) return true;
    return false;
  };
  return {
    root: absoluteRoot,

    async find(name) {
      const segments = splitRepositoryName(name);
      if (segments === undefined) return undefined;
      try {
        const found = await findRepository([absoluteRoot, ...segments].join(sep));
        if (found === undefined) return undefined;
        const { gitDirectory, commonDirectory, objectsDirectory, refsDirectory } = found;
        const real = await Promise.all(
          [gitDirectory, commonDirectory, objectsDirectory, refsDirectory].map((path) => realpath(path)),
        );
        for (const path of real) if (!(await isInside(path))) return undefined;
        const [realGit, realCommon] = real as [string, string, string, string];
        return await readResolvedLayout(realGit, realCommon);
      } catch (error) {
        if (ABSENT.has(systemCode(error) ?? "")) return undefined;
        throw error;
      }
    },

    async create(name, creation) {
      const segments = splitNewRepositoryName(name);
      if (segments === undefined) throw badName(name);
      const parent = await makeParents(absoluteRoot, segments.slice(0, -1));
      if (parent === undefined) throw badName(name);
      return createBareRepository(`${parent}${sep}${segments.at(-1)}`, creation);
    },
  };
}

/** What the system says of paths that lead nowhere, or where this process may not look. */
const ABSENT: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "EACCES",
  "EPERM",
]);

/** The layout by its resolved paths, if they still belong together. */
async function readResolvedLayout(
  gitDirectory: string,
  commonDirectory: string,
): Promise<RepositoryLayout | undefined> {
  const layout = await readLayout(gitDirectory);
  if (layout === undefined) return undefined;
  return (await realpath(layout.commonDirectory)) === commonDirectory ? layout : undefined;
}

/** The real directory below `root` to make a repository in; `undefined` when a symlink or a repository is in the way. */
async function makeParents(root: string, segments: readonly string[]): Promise<string | undefined> {
  let directory = await realpath(root);
  for (const segment of segments) {
    directory += sep + segment;
    await mkdir(directory).catch((error: unknown) => {
      if (systemCode(error) !== "EEXIST") throw error;
    });
    const isPlain = (await lstat(directory)).isDirectory();
    if (!isPlain || (await readLayout(directory)) !== undefined || (await exists(`${directory}/.git`)))
      return undefined;
  }
  return directory;
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

function badName(name: string): StorageFsError {
  const shown = JSON.stringify(name.slice(0, 256));
  return new StorageFsError("storage-fs/bad-repository-name", `not a name for a new repository: ${shown}`);
}
