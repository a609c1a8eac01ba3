import {
  forEachTreeEntry,
  type ObjectId,
  objectIdFromBytes,
  objectIdToBytes,
  parseCommitLinks,
} from "@x/objects";
import type { ObjectTable } from "@x/pack";
import { GITLINK, REGULAR, SYMLINK, TYPE_MASK } from "./index-entry.ts";
import { isSafeName } from "./safe-name.ts";
import { UpdateRefused } from "./update-refused.ts";

/** A file that a commit holds. */
export interface TreeFile {
  /** From the top. A byte path, see `byte-path.ts`. */
  readonly path: string;
  /** As the index has it. */
  readonly mode: number;
  readonly id: ObjectId;
}

/** All files of a commit, in the order of the index. */
export interface TreeFiles {
  readonly root: ObjectId;
  readonly files: readonly TreeFile[];
  /** What the index says of the trees that they make up. Spec: gitformat-index, "Cache tree". */
  readonly cacheTree: Uint8Array;
}

/** What a checked-out commit may hold. */
export interface TreeLimits {
  readonly maxFiles: number;
  /** All paths together. Unit: bytes. */
  readonly maxPathsBytes: number;
}

/** What systems take for a path, its end included. Unit: bytes. */
const MAX_PATH_BYTES = 4096;

const TREE = 0o040000;

interface TreeNode {
  readonly name: string;
  readonly id: ObjectId;
  files: number;
  subtrees: number;
}

/** The tree of `commit`. @throws PackError, ObjectsError */
export function treeOf(objects: ObjectTable, commit: ObjectId): ObjectId {
  const { type, data } = objects.read(numberOf(objects, commit));
  if (type !== "commit") throw new UpdateRefused(`${commit} is not a commit`);
  return parseCommitLinks(data, objects.format).tree;
}

/**
 * Lists the files of a tree. Yields now and then.
 * @throws UpdateRefused for names that must not be files, trees out of order, and too many files
 * @throws PackError, ObjectsError
 */
export function* listTreeFiles(
  objects: ObjectTable,
  root: ObjectId,
  limits: TreeLimits,
): Generator<void, TreeFiles> {
  const files: TreeFile[] = [];
  const nodes: TreeNode[] = [];
  let pathsBytes = 0;

  function* visit(id: ObjectId, name: string, prefix: string): Generator<void, void> {
    yield;
    const node: TreeNode = { name, id, files: 0, subtrees: 0 };
    nodes.push(node);
    if (nodes.length > limits.maxFiles)
      throw new UpdateRefused(`more directories than maxFiles (${limits.maxFiles})`);
    const start = files.length;
    const entries = readTree(objects, id, prefix, limits.maxFiles);
    const names = new Set<string>();
    for (const entry of entries) {
      if (names.has(entry.name)) throw new UpdateRefused(`'${prefix}${entry.name}' is there twice`);
      names.add(entry.name);
      const path = prefix + entry.name;
      pathsBytes += path.length;
      if (path.length >= MAX_PATH_BYTES)
        throw new UpdateRefused(`a path is longer than ${MAX_PATH_BYTES} bytes`);
      if (pathsBytes > limits.maxPathsBytes)
        throw new UpdateRefused(`the paths take more than maxPathsBytes (${limits.maxPathsBytes} bytes)`);
      if (entry.mode === TREE) {
        node.subtrees++;
        yield* visit(entry.id, entry.name, `${path}/`);
        continue;
      }
      const before = files.at(-1);
      if (before !== undefined && before.path >= path) throw new UpdateRefused(`'${path}' is out of order`);
      files.push({ path, mode: entry.mode, id: entry.id });
      if (files.length > limits.maxFiles)
        throw new UpdateRefused(`more files than maxFiles (${limits.maxFiles})`);
    }
    node.files = files.length - start;
  }

  yield* visit(root, "", "");
  return { root, files, cacheTree: encodeCacheTree(nodes) };
}

function readTree(objects: ObjectTable, id: ObjectId, prefix: string, maxEntries: number): TreeFileEntry[] {
  const { type, data } = objects.read(numberOf(objects, id));
  if (type !== "tree") throw new UpdateRefused(`${id} is not a tree`);
  const entries: TreeFileEntry[] = [];
  forEachTreeEntry(data, objects.format, (mode, nameAt, nameEnd, idAt) => {
    if (entries.length >= maxEntries) throw new UpdateRefused(`more files than maxFiles (${maxEntries})`);
    const name = Buffer.from(data.buffer, data.byteOffset + nameAt, nameEnd - nameAt).toString("latin1");
    if (!isSafeName(data, nameAt, nameEnd, mode)) throw new UpdateRefused(`invalid path '${prefix}${name}'`);
    entries.push({
      name,
      mode: indexMode(mode, `${prefix}${name}`),
      id: objectIdFromBytes(data, objects.format, idAt),
    });
  });
  return entries;
}

type TreeFileEntry = Omit<TreeFile, "path"> & { readonly name: string };

/** Old trees have modes such as `0o100664`. */
function indexMode(mode: number, path: string): number {
  switch (mode & TYPE_MASK) {
    case REGULAR:
      return REGULAR | (mode & 0o100 ? 0o755 : 0o644);
    case SYMLINK:
      return SYMLINK;
    case GITLINK:
      return GITLINK;
    case TREE:
      return TREE;
    default:
      throw new UpdateRefused(`'${path}' has a mode that is none`);
  }
}

function numberOf(objects: ObjectTable, id: ObjectId): number {
  const number = objects.findId(id);
  if (number < 0) throw new UpdateRefused(`object ${id} is missing`);
  return number;
}

/** From the top down, each tree before those in it. */
function encodeCacheTree(nodes: readonly TreeNode[]): Uint8Array {
  return Buffer.concat(
    nodes.flatMap(({ name, id, files, subtrees }) => [
      Buffer.from(`${name}\0${files} ${subtrees}\n`, "latin1"),
      objectIdToBytes(id),
    ]),
  );
}
