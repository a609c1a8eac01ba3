import { unlink } from "node:fs/promises";
import { createNodeZlibCodec } from "@x/pack/node";
import { ReftableWriter, type ReftableZlib } from "@x/refs";
import { fromBytePath, parentOf } from "../disk/byte-path.ts";
import { type LockFile, lockFile, syncDirectories } from "../disk/lock-file.ts";
import type { SharedAccess } from "../disk/shared-access.ts";
import type { Journal } from "../journal/journal.ts";
import { takeTurn } from "../refs/take-turn.ts";
import type { ReftableFiles, ReftableSnapshot } from "./reftable-files.ts";
import type { ReftableSettings } from "./reftable-settings.ts";
import { randomTableName, TableFile } from "./table-file.ts";

/** What stacks are changed with. */
export interface ReftableChangeContext {
  readonly settings: ReftableSettings;
  readonly journal: Journal;
  /** What others may do with what is made. */
  readonly access: SharedAccess | undefined;
  /** Wait until what is written, and the names of what is, have reached the disk. */
  readonly sync: boolean;
  /** Hears of what went wrong without consequences. */
  readonly warn: (message: string) => void;
}

/** For logs. */
export const reftableZlib: ReftableZlib = createNodeZlibCodec();

/** A stack that nobody else changes while it is held. */
export class LockedStack {
  /** What it held when it was locked, and still holds. */
  readonly snapshot: ReftableSnapshot;
  readonly #files: ReftableFiles;
  readonly #context: ReftableChangeContext;
  readonly #lock: LockFile;
  readonly #endTurn: () => void;

  private constructor(
    files: ReftableFiles,
    context: ReftableChangeContext,
    held: { readonly lock: LockFile; readonly snapshot: ReftableSnapshot; readonly endTurn: () => void },
  ) {
    this.#files = files;
    this.#context = context;
    this.#lock = held.lock;
    this.snapshot = held.snapshot;
    this.#endTurn = held.endTurn;
  }

  /** @returns `undefined` when somebody else holds it for too long */
  static async lock(files: ReftableFiles, context: ReftableChangeContext): Promise<LockedStack | undefined> {
    const { journal, access, sync, settings } = context;
    const path = `${files.directory}/tables.list`;
    const endTurn = await takeTurn(files);
    let lock: LockFile | undefined;
    try {
      const draft = await journal.draft(path, new Uint8Array());
      lock = await lockFile(path, { timeoutMs: settings.lockTimeoutMs, draft, sync, access });
      if (lock === undefined) {
        endTurn();
        return undefined;
      }
      const snapshot = await files.snapshot();
      return new LockedStack(files, context, { lock, snapshot, endTurn });
    } catch (error) {
      await lock?.release().catch(() => {});
      endTurn();
      throw error;
    }
  }

  /** The index that the next change has. */
  get nextUpdateIndex(): bigint {
    const last = this.snapshot.tables.at(-1);
    return last === undefined ? 1n : last.frame.maxUpdateIndex + 1n;
  }

  /**
   * Adds a table of what `fill` puts into it, and gives the lock up with that. @returns `false` when that is nothing
   * @throws RefsError `refs/too-large`; then, and when the disk fails, nothing has changed
   */
  async add(fill: (writer: ReftableWriter) => void): Promise<boolean> {
    const index = this.nextUpdateIndex;
    const { settings } = this.#context;
    const range = { minUpdateIndex: index, maxUpdateIndex: index };
    const writer = new ReftableWriter({ ...settings.shape, ...range, zlib: reftableZlib });
    fill(writer);
    if (writer.isEmpty) return false;
    writer.finish();
    const file = await TableFile.create(this.#files.directory, randomTableName(index, index), this.#context);
    try {
      await file.write(writer.take());
      await file.close();
    } catch (error) {
      await file.discard();
      throw error;
    }
    await this.replace([...this.snapshot.names, file.name], file);
    return true;
  }

  /** Makes `names` the stack, one of them perhaps that of `file`, which is written; gives the lock up with that. */
  async replace(names: readonly string[], file: TableFile | undefined): Promise<void> {
    const { sync } = this.#context;
    try {
      await file?.publish();
      await this.#lock.write([Buffer.from(names.map((name) => `${name}\n`).join(""), "latin1")]);
      // The list never names a table whose own name a loss of power could take back.
      if (sync && file !== undefined) await syncDirectories([this.#files.directory]);
      await this.#lock.commit();
    } catch (error) {
      await file?.discard();
      if (file !== undefined) await unlink(fromBytePath(file.path)).catch(() => {});
      throw error;
    }
    if (sync) await syncDirectories([parentOf(this.#lock.path)]);
  }

  /** Harmless a second time. @param options `keepTables`: the caller releases the snapshot */
  async release(options: { readonly keepTables?: boolean } = {}): Promise<void> {
    try {
      await this.#lock.release();
    } finally {
      this.#endTurn();
      if (options.keepTables !== true) await this.snapshot.release();
    }
  }
}
