import type { PathLike } from "node:fs";

/**
 * Ref names are bytes, and so are file names on most systems; Node's string paths are not. Inside this package a
 * path that may hold a ref name is a byte string, one character for each byte, turned into what `node:fs` takes
 * at the last moment.
 */
export function toBytePath(path: string): string {
  return Buffer.from(path, "utf8").toString("latin1");
}

/** What `node:fs` takes for a byte path. */
export function fromBytePath(bytePath: string): PathLike {
  return isAscii(bytePath) ? bytePath : Buffer.from(bytePath, "latin1");
}

/** Everything before the last slash. */
export function parentOf(bytePath: string): string {
  return bytePath.slice(0, bytePath.lastIndexOf("/"));
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
