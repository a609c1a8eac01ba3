import { randomUUID } from "node:crypto";
import { openSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/*
 * A named pipe whose writer has gone keeps whoever opens it by a path, as `</dev/stdin` does, waiting for ever. So what is
 * only read lies in a file, which is no longer in any directory when the reader starts; it need not be read either.
 */

/** @returns a file to read `chunks` from, for the caller to close; `undefined` where none can be written */
export async function openInputFile(chunks: Iterable<Uint8Array>): Promise<number | undefined> {
  const path = join(tmpdir(), `hook-${randomUUID()}`);
  try {
    await writeFile(path, chunks, { flag: "wx", mode: 0o600 });
    return openSync(path, "r");
  } catch {
    return undefined;
  } finally {
    await rm(path, { force: true });
  }
}
