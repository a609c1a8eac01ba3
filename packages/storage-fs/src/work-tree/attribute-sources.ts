import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { Attributes } from "@x/objects";
import type { ObjectTable } from "@x/pack";
import { fromBytePath } from "../disk/byte-path.ts";
import { systemCode } from "../errors.ts";
import { LeadingPaths } from "./leading-path.ts";
import type { WorkTreeSettings } from "./settings.ts";
import type { TreeFile } from "./tree-files.ts";
import { UpdateRefused } from "./update-refused.ts";

/** Largest file of attributes. Unit: bytes. */
const MAX_ATTRIBUTES_BYTES = 4 * 1024 * 1024;

/** Where the files of attributes are that belong to no commit. */
export interface AttributePlaces {
  /** The work tree, a byte path. */
  readonly root: string;
  /** `$GIT_COMMON_DIR`. */
  readonly commonDirectory: string;
  readonly settings: WorkTreeSettings;
}

/** The attributes as the files in the work tree have them. */
export function attributesOfFiles(places: AttributePlaces): Attributes {
  const leading = new LeadingPaths(places.root);
  return new Attributes({
    ...outside(places),
    read: (directory) => readAttributes(places, leading, directory),
  });
}

/** The attributes that hold once `files` are checked out. */
export function attributesOfCommit(
  places: AttributePlaces,
  files: readonly TreeFile[],
  objects: ObjectTable,
): Attributes {
  const blobs = new Map<string, TreeFile>();
  for (const file of files)
    if (/(?:^|\/)\.gitattributes$/.test(file.path))
      blobs.set(file.path.slice(0, -".gitattributes".length), file);
  const leading = new LeadingPaths(places.root);
  const read = (directory: string): string | undefined => {
    const file = blobs.get(directory);
    if (file === undefined) return readAttributes(places, leading, directory);
    if ((file.mode & 0o170000) !== 0o100000) return undefined; // git does not follow symlinks here either
    const number = objects.findId(file.id);
    if (number < 0) throw new UpdateRefused(`object ${file.id} is missing`);
    if (objects.size(number) > MAX_ATTRIBUTES_BYTES)
      throw new UpdateRefused(`'${file.path}' is larger than ${MAX_ATTRIBUTES_BYTES} bytes`);
    return Buffer.from(objects.read(number).data).toString("latin1");
  };
  return new Attributes({ ...outside(places), read });
}

function outside({ commonDirectory, settings }: AttributePlaces) {
  const user = settings.conversion.attributesFile?.replace(/^~(?=\/)/, homedir());
  return {
    repository: readText(`${commonDirectory}/info/attributes`, true),
    user: user?.startsWith("/") ? readText(user, true) : undefined,
    ignoreCase: settings.ignoreCase,
  };
}

function readAttributes(
  { root }: AttributePlaces,
  leading: LeadingPaths,
  directory: string,
): string | undefined {
  const path = `${directory}.gitattributes`;
  return leading.look(path).kind === "directories" ? readText(`${root}/${path}`, false) : undefined;
}

function readText(path: string, followSymlink: boolean): string | undefined {
  const noFollow = followSymlink ? 0 : constants.O_NOFOLLOW;
  let descriptor: number;
  try {
    descriptor = openSync(fromBytePath(path), constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined; // missing, or a symlink
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return undefined;
    if (stats.size > MAX_ATTRIBUTES_BYTES)
      throw new UpdateRefused(`'${path}' is larger than ${MAX_ATTRIBUTES_BYTES} bytes`);
    return readFileSync(descriptor, "latin1");
  } finally {
    closeSync(descriptor);
  }
}
