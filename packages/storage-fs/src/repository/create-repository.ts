import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { ObjectFormat } from "@x/objects";
import { bytesFromByteString, formatLooseRef, isValidRefName } from "@x/refs";
import { toBytePath } from "../disk/byte-path.ts";
import { syncDirectories, writeDurably } from "../disk/lock-file.ts";
import { parseSharedAccess, share } from "../disk/shared-access.ts";
import { StorageFsError, systemCode } from "../errors.ts";
import { layoutAt, type RepositoryLayout } from "./layout.ts";

/** How a new repository starts. */
export interface NewRepositoryOptions {
  /** `sha1` when not given. */
  readonly objectFormat?: ObjectFormat | undefined;
  /** The branch that HEAD names, without `refs/heads/`; byte-exact. `main` when not given. */
  readonly defaultBranch?: string | undefined;
  /**
   * Lets others at it, as `core.sharedRepository` says: `group`, `all`, or a mode such as `0660`. Then no push may throw
   * away history, either. The umask alone decides when not given.
   */
  readonly shared?: string | undefined;
}

const DIRECTORIES = ["hooks", "info", "objects/info", "objects/pack", "refs/heads", "refs/tags"] as const;

/**
 * Makes an empty bare repository, as `git init --bare` does. It is made beside its place and moved there whole, so
 * that nobody sees half of it and of two makers one wins; what was made has reached the disk.
 * @throws StorageFsError `storage-fs/repository-exists` when something other than an empty directory is there
 * @throws StorageFsError `storage-fs/bad-config` when `shared` says nothing
 * @throws RangeError when `defaultBranch` is not a branch name
 */
export async function createBareRepository(
  directory: string,
  options: NewRepositoryOptions = {},
): Promise<RepositoryLayout> {
  const { objectFormat = "sha1", defaultBranch = "main", shared } = options;
  const access = parseSharedAccess(shared);
  const head = `refs/heads/${defaultBranch}`;
  if (!isValidRefName(head)) throw new RangeError(`not a branch name: ${defaultBranch}`);
  const target = resolve(directory);
  const draft = `${dirname(target)}/.new-${basename(target).slice(0, 64)}-${randomUUID()}`;
  await mkdir(draft);
  try {
    for (const part of DIRECTORIES) await mkdir(`${draft}/${part}`, { recursive: true });
    await write(`${draft}/HEAD`, formatLooseRef({ kind: "symbolic", name: head }));
    await write(`${draft}/config`, bytesFromByteString(configText(objectFormat, shared)));
    await write(`${draft}/description`, bytesFromByteString(DESCRIPTION));
    for (const name of access === undefined ? [] : ["", ...(await readdir(draft, { recursive: true }))])
      await share(`${draft}/${name}`, access);
    await syncDirectories(
      ["objects", "refs", ""].map((part) => toBytePath(`${draft}/${part}`.replace(/\/$/, ""))),
    );
    await publish(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  await syncDirectories([toBytePath(dirname(target))]);
  return layoutAt(target);
}

const DESCRIPTION = "Unnamed repository; edit this file 'description' to name the repository.\n";

function configText(objectFormat: ObjectFormat, shared: string | undefined): string {
  const version = objectFormat === "sha1" ? 0 : 1;
  const lines = ["[core]", `\trepositoryformatversion = ${version}`, "\tfilemode = true", "\tbare = true"];
  if (shared !== undefined) lines.push(`\tsharedrepository = ${shared}`);
  if (version === 1) lines.push("[extensions]", `\tobjectformat = ${objectFormat}`);
  if (shared !== undefined) lines.push("[receive]", "\tdenyNonFastforwards = true");
  return `${lines.join("\n")}\n`;
}

async function write(path: string, content: Uint8Array): Promise<void> {
  await writeDurably(await open(path, "wx", 0o666), [content]);
}

async function publish(draft: string, target: string): Promise<void> {
  try {
    // Takes the place of an empty directory, but of nothing else.
    await rename(draft, target);
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR") throw error;
    throw new StorageFsError(
      "storage-fs/repository-exists",
      "there is something in the repository's place already",
      {
        cause: error,
      },
    );
  }
}
