import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rename, unlink } from "node:fs/promises";
import { fromBytePath } from "../disk/byte-path.ts";
import { type SharedAccess, share } from "../disk/shared-access.ts";
import { isDead, ownProcessName, PROCESS_NAME } from "../journal/process-name.ts";

/*
 * reftable/0x<least, 12 hex digits>-0x<greatest index>-<8 random hex digits>.ref
 * reftable/<name of a table>.temp.<process>  while it is written
 */

const TABLE = /^0x([0-9a-f]{12,16})-0x([0-9a-f]{12,16})-[0-9a-f]{8}\.ref$/;
const UNFINISHED = new RegExp(`^0x[0-9a-f]+-0x[0-9a-f]+-[0-9a-f]{8}\\.ref\\.temp\\.(${PROCESS_NAME})$`);

/** A name for a table, as C git makes them. Spec: reftable, "Layout". */
export function randomTableName(minUpdateIndex: bigint, maxUpdateIndex: bigint): string {
  const hex = (index: bigint) => `0x${index.toString(16).padStart(12, "0")}`;
  return `${hex(minUpdateIndex)}-${hex(maxUpdateIndex)}-${randomBytes(4).toString("hex")}.ref`;
}

/** A table that is being written. */
export class TableFile {
  readonly name: string;
  /** Where it will be. A byte path. */
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #sync: boolean;

  private constructor(path: string, name: string, temporary: string, handle: FileHandle, sync: boolean) {
    this.path = path;
    this.name = name;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#sync = sync;
  }

  /** `directory` is a byte path. */
  static async create(
    directory: string,
    name: string,
    { sync, access }: { readonly sync: boolean; readonly access: SharedAccess | undefined },
  ): Promise<TableFile> {
    const temporary = `${directory}/${name}.temp.${await ownProcessName()}`;
    const handle = await open(fromBytePath(temporary), "wx", 0o666);
    await share(fromBytePath(temporary), access);
    return new TableFile(`${directory}/${name}`, name, temporary, handle, sync);
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    if (chunks.length > 0) await this.#handle.writeFile(Buffer.concat(chunks));
  }

  /** All is written; waits until it has reached the disk, if that is asked for. */
  async close(): Promise<void> {
    if (this.#sync) await this.#handle.sync();
    await this.#handle.close();
  }

  /** Gives it its name. */
  async publish(): Promise<void> {
    await rename(fromBytePath(this.#temporary), fromBytePath(this.path));
  }

  /** Never fails; harmless when it is closed or published. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await unlink(fromBytePath(this.#temporary)).catch(() => {});
  }
}

/**
 * Removes tables that no list names: those below `nextUpdateIndex` and not among `names`, and what dead processes were
 * writing. To be called while the stack is locked: tables get their names under that lock.
 */
export async function sweepTables(
  directory: string,
  names: ReadonlySet<string>,
  nextUpdateIndex: bigint,
): Promise<void> {
  for (const name of await readdir(fromBytePath(directory), "latin1")) {
    const [, , last] = TABLE.exec(name) ?? [];
    const [, owner] = UNFINISHED.exec(name) ?? [];
    const isStale =
      last !== undefined
        ? !names.has(name) && BigInt(`0x${last}`) < nextUpdateIndex
        : owner !== undefined && (await isDead(owner));
    if (isStale) await unlink(fromBytePath(`${directory}/${name}`)).catch(() => {});
  }
}
