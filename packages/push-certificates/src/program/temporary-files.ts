import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Puts contents into files that nobody else can read, for as long as `use` takes; it gets their paths, in order. */
export async function withFiles<T>(
  contents: readonly Uint8Array[],
  use: (...paths: readonly string[]) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "push-certificate-"));
  try {
    const paths = contents.map((_, index) => join(directory, String(index)));
    for (const [index, path] of paths.entries())
      await writeFile(path, contents[index] as Uint8Array, { mode: 0o600 });
    return await use(...paths);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
