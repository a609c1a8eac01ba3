import { lstat, mkdir, realpath, stat } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { QuickLook, statHere } from "../disk/quick-look.ts";
import { StorageFsError, systemCode } from "../errors.ts";
import { ABSENT, containedLayout } from "./containment.ts";
import { createBareRepository, type NewRepositoryOptions } from "./create-repository.ts";
import { findRepository, type RepositoryLayout, readLayout } from "./layout.ts";
import { splitNewRepositoryName, splitRepositoryName } from "./repository-name.ts";

/** How {@link repositoriesUnder} looks. */
export interface RepositoriesUnderOptions {
  /** Directories beside the root that symlinks, `gitdir:`, `commondir` and alternates files may lead into. */
  readonly alsoWithin?: readonly string[] | undefined;
  /** Told of a repository that is there and is not found, because the way to `target` leads out: for the operator's log. */
  readonly onOutside?: ((gitDirectory: string, target: string) => void) | undefined;
}

/** The repositories below one directory, by the names that clients use. */
export interface RepositoriesUnder {
  /** As given, made absolute. */
  readonly root: string;

  /**
   * Finds a repository as git does: NAME/.git, NAME, NAME.git/.git, NAME.git. `name` is what the client wrote, decoded
   * once. All paths of the answer have their symlinks resolved and lie below the root, as does what alternates lead to, or did a
   * second ago.
   * @returns `undefined` when there is none, when the name is not one, and when the way leads out: all look alike
   */
  find(name: string): Promise<RepositoryLayout | undefined>;

  /**
   * Makes an empty bare repository `NAME.git`, and the directories it lies in.
   * @throws StorageFsError `storage-fs/bad-repository-name`, `storage-fs/repository-exists`
   */
  create(name: string, options: NewRepositoryOptions): Promise<RepositoryLayout>;
}

/** Names whose repositories are remembered. */
const MAX_REMEMBERED = 1024;
/** How long a name stands for the same directory without a look at the links that lead there. Unit: milliseconds. */
const REMEMBERED_MS = 1000;
/** A directory that changed this shortly before it was looked at may change again without showing it. Unit: milliseconds. */
const RACY_MS = 50;

interface Remembered {
  readonly layout: RepositoryLayout;
  readonly stamp: string;
  readonly until: number;
  readonly quick: QuickLook;
}

/** Serves the repositories below `root`, and nothing else. */
export function repositoriesUnder(root: string, options: RepositoriesUnderOptions = {}): RepositoriesUnder {
  const absoluteRoot = resolve(root);
  const allowed = [absoluteRoot, ...(options.alsoWithin ?? []).map((directory) => resolve(directory))];
  const remembered = new Map<string, Remembered>();
  /** A server that is asked often is mostly asked for the same. */
  const recall = async (name: string): Promise<RepositoryLayout | undefined> => {
    const known = remembered.get(name);
    if (known === undefined) return undefined;
    const { layout, stamp, until, quick } = known;
    if (performance.now() < until && (await stampOf(layout, quick)) === stamp) return layout;
    remembered.delete(name);
    return undefined;
  };
  const remember = (name: string, layout: RepositoryLayout, stamp: string): void => {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(name, { layout, stamp, until: performance.now() + REMEMBERED_MS, quick: new QuickLook() });
  };
  return {
    root: absoluteRoot,

    async find(name) {
      const known = await recall(name);
      if (known !== undefined) return known;
      const segments = splitRepositoryName(name);
      if (segments === undefined) return undefined;
      try {
        const found = await findRepository([absoluteRoot, ...segments].join(sep));
        if (found === undefined) return undefined;
        const stamp = await stampOf(found); // before the look: what changes after it has to show
        const layout = await containedLayout(found, allowed, (target) =>
          options.onOutside?.(found.gitDirectory, target),
        );
        if (layout !== undefined && stamp !== undefined) remember(name, layout, stamp);
        return layout;
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

/**
 * Changes when anything in the git directory is put in the place of something else, be it a link or HEAD; `undefined`
 * when that cannot be trusted.
 */
async function stampOf(
  directories: Pick<RepositoryLayout, "gitDirectory" | "commonDirectory">,
  quick: QuickLook = new QuickLook(),
): Promise<string | undefined> {
  const paths = [...new Set([directories.gitDirectory, directories.commonDirectory])];
  const found = await quick.look(
    () => paths.map(statHere),
    () => Promise.all(paths.map((path) => stat(path, { bigint: true }).catch(() => undefined))),
  );
  const racySince = Date.now() - RACY_MS;
  const stamps = found.map((stats) =>
    stats === undefined || Number(stats.mtimeMs) >= racySince
      ? undefined
      : `${stats.dev}:${stats.ino}:${stats.mtimeNs}`,
  );
  return stamps.includes(undefined) ? undefined : stamps.join(" ");
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

function badName(name: string): StorageFsError {
  const shown = JSON.stringify(name.slice(0, 256));
  return new StorageFsError("storage-fs/bad-repository-name", `not a name for a new repository: ${shown}`);
}
