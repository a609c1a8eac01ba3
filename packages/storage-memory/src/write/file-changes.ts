import type { ObjectId } from "@x/objects";
import { StorageMemoryError } from "../errors.ts";
import { splitPath } from "./file-path.ts";

/** What a file shall be. A string is written as UTF-8. */
export type FileContent =
  | string
  | Uint8Array
  | {
      /** 0o100644 (a file), 0o100755 (one to run), 0o120000 (a symlink, `content` says where to). */
      readonly mode: number;
      readonly content: string | Uint8Array;
    }
  | {
      /** Any of those, or 0o160000 (a submodule), 0o40000 (a tree). */
      readonly mode: number;
      /** What is stored already; a submodule's commit need not be. */
      readonly id: ObjectId;
    };

/** Paths with `/` between names → what is to be there; `undefined` takes a file, or a directory, away. */
export type FileChanges = Readonly<Record<string, FileContent | undefined>>;

/** One directory's part of some changes. */
export interface ChangeNode {
  /** What becomes of the name itself; absent when something below it changes. */
  change?: { readonly content: FileContent | undefined };
  readonly below: Map<string, ChangeNode>;
}

const MODES: ReadonlySet<number> = new Set([0o100644, 0o100755, 0o120000, 0o160000, 0o40000]);

/**
 * Sorts changes by directory.
 * @throws StorageMemoryError `storage-memory/bad-path` for a bad path or mode, and for a file that shall be a directory too
 */
export function changeTree(files: FileChanges): ChangeNode {
  const root: ChangeNode = { below: new Map() };
  for (const [path, content] of Object.entries(files)) {
    let node = root;
    for (const name of splitPath(path)) {
      if (node.change !== undefined && node.change.content !== undefined) throw twice(path);
      let next = node.below.get(name);
      if (next === undefined) {
        next = { below: new Map() };
        node.below.set(name, next);
      }
      node = next;
    }
    if (content !== undefined && node.below.size > 0) throw twice(path);
    checkMode(path, content);
    node.change = { content };
  }
  return root;
}

function checkMode(path: string, content: FileContent | undefined): void {
  if (typeof content !== "object" || content instanceof Uint8Array) return;
  const fits = MODES.has(content.mode) && ("id" in content || (content.mode & 0o100000) === 0o100000);
  if (!fits || (!("id" in content) && content.mode === 0o160000))
    throw new StorageMemoryError(
      "storage-memory/bad-path",
      `no file has mode ${content.mode.toString(8)}: ${path}`,
    );
}

function twice(path: string): StorageMemoryError {
  return new StorageMemoryError("storage-memory/bad-path", `a file and a directory at once: ${path}`);
}
