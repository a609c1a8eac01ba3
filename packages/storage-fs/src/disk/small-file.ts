import { close, closeSync, constants, open, openSync, type PathLike, read, readSync } from "node:fs";
import { promisify } from "node:util";
import { systemCode } from "../errors.ts";

const openFile = promisify(open);
const closeFile = promisify(close);
const readFile: (fd: number, options: object) => Promise<{ bytesRead: number; buffer: Buffer }> =
  promisify(read);

/** `missing`: no such file. `directory`, `symlink`: what is there instead. `too-large`: more than was allowed. */
export type NotSmallFile = "missing" | "directory" | "symlink" | "too-large";

/**
 * The whole of a small file. A symlink at the end of the path is not followed unless asked for, and a pipe does
 * not hold the caller up.
 */
export async function readSmallFile(
  path: PathLike,
  options: { readonly maxBytes: number; readonly followSymlink?: boolean },
): Promise<Buffer | NotSmallFile> {
  const noFollow = options.followSymlink ? 0 : constants.O_NOFOLLOW;
  let fd: number;
  try {
    fd = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
  } catch (error) {
    return explained(error);
  }
  try {
    // Most are an id and a line feed; only what is longer costs a second read.
    let buffer = Buffer.allocUnsafe(Math.min(options.maxBytes + 1, 256));
    let length = 0;
    for (;;) {
      const { bytesRead } = await readFile(fd, {
        buffer,
        offset: length,
        length: buffer.length - length,
        position: null,
      });
      length += bytesRead;
      if (length > options.maxBytes) return "too-large";
      if (bytesRead === 0 || (length < buffer.length && length > 0 && buffer.length === 256)) break;
      if (length === buffer.length) {
        const larger = Buffer.allocUnsafe(Math.min(options.maxBytes + 1, buffer.length * 4));
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
    }
    return buffer.subarray(0, length);
  } catch (error) {
    return explained(error);
  } finally {
    await closeFile(fd);
  }
}

/** {@link readSmallFile} without leaving this thread. */
export function readSmallFileSync(
  path: PathLike,
  options: { readonly maxBytes: number },
): Buffer | NotSmallFile {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    return explained(error);
  }
  try {
    let buffer = Buffer.allocUnsafe(Math.min(options.maxBytes + 1, 256));
    for (let length = 0; ; ) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      length += count;
      if (length > options.maxBytes) return "too-large";
      if (count === 0 || (length > 0 && length < buffer.length && buffer.length === 256))
        return buffer.subarray(0, length);
      if (length === buffer.length)
        buffer = Buffer.concat([buffer], Math.min(options.maxBytes + 1, buffer.length * 4));
    }
  } catch (error) {
    return explained(error);
  } finally {
    closeSync(fd);
  }
}

function explained(error: unknown): NotSmallFile {
  switch (systemCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
    case "ENAMETOOLONG":
      return "missing";
    case "EISDIR":
      return "directory";
    case "ELOOP":
    case "EMLINK":
      return "symlink";
    default:
      throw error;
  }
}
