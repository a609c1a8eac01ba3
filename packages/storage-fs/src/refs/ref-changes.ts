import { open, rename, unlink } from "node:fs/promises";
import { type PackedRefs, packedRefsWithout, type ReflogEntry } from "@x/refs";
import { fromBytePath, parentOf } from "../disk/byte-path.ts";
import { syncDirectories, writeWhole } from "../disk/lock-file.ts";
import { share } from "../disk/shared-access.ts";
import { systemCode } from "../errors.ts";
import { type RefFiles, removeEmptyTree } from "./ref-files.ts";
import { type RefStep, refChange } from "./ref-step.ts";
import { conflictingFile } from "./ref-verdict.ts";
import type { Reflogs } from "./reflogs.ts";

/** What changes are made with. */
export interface RefChangeContext {
  readonly files: RefFiles;
  readonly reflogs: Reflogs;
  /** Wait until what is written, and the names of what is, have reached the disk. */
  readonly sync: boolean;
}

/** Tries to take the place of a directory that somebody else makes. */
const MAX_TRIES = 5;

/** Makes the changes of locked refs. */
export class RefChanges {
  readonly #context: RefChangeContext;
  readonly #atomic: boolean;
  readonly #reflog: ReflogEntry | undefined;
  #headTarget: string | undefined;
  #preparedPacked: string | undefined;
  /** Directories whose entries changed. Byte paths. */
  readonly changedDirectories: Set<string> = new Set();

  constructor(context: RefChangeContext, atomic: boolean, reflog: ReflogEntry | undefined) {
    this.#context = context;
    this.#atomic = atomic;
    this.#reflog = reflog;
  }

  /** To be called once all is locked. */
  async start(): Promise<void> {
    if (this.#reflog === undefined) return;
    const head = await this.#context.files.read("HEAD");
    if (typeof head === "object" && head.kind === "symbolic") this.#headTarget = head.name;
  }

  /** Gives a ref its new value; its lock goes with that. */
  async update(step: RefStep): Promise<void> {
    const { files, reflogs } = this.#context;
    const { name } = step.edit;
    if (this.#reflog !== undefined) await reflogs.append(name, refChange(step), this.#reflog);
    await this.#logHead(step);
    const path = files.pathOf(name);
    for (let attempt = 1; ; attempt++) {
      try {
        await step.lock?.commit();
        break;
      } catch (error) {
        const code = systemCode(error);
        if (code !== "EISDIR" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
        // Somebody made a directory here after we had looked, and may do so again.
        if (attempt < MAX_TRIES && (await removeEmptyTree(path))) continue;
        if (this.#atomic) throw error;
        step.outcome = conflictingFile(name, await files.firstBelow(name));
        break;
      }
    }
    this.changedDirectories.add(parentOf(path));
  }

  /** Takes a ref away; it is out of packed-refs already, so that no older value comes back to life. */
  async remove(step: RefStep): Promise<void> {
    const { files, reflogs } = this.#context;
    const { name } = step.edit;
    const path = files.pathOf(name);
    if (step.loose !== "missing" && step.loose !== "directory") await unlink(fromBytePath(path));
    await reflogs.remove(name);
    await this.#logHead(step);
    await step.lock?.release();
    this.changedDirectories.add(parentOf(path));
    await files.removeEmptyParents(path, files.baseOf(name));
  }

  /**
   * Writes packed-refs as it shall be: beside it, under packed-refs.lock, and not by way of that, since it has to stay. As
   * C git. To be done before the first change: a full disk must not stop all or nothing half way.
   */
  async preparePacked(path: string, packed: PackedRefs, names: ReadonlySet<string>): Promise<void> {
    const fresh = fromBytePath(`${path}.new`);
    await unlink(fresh).catch(() => {}); // left by a writer that died
    try {
      await writeWhole(await open(fresh, "wx", 0o666), packedRefsWithout(packed, names), this.#context.sync);
      await share(fresh, this.#context.files.access);
    } catch (error) {
      await unlink(fresh).catch(() => {});
      throw error;
    }
    this.#preparedPacked = path;
  }

  /** Puts what was prepared in the place of packed-refs, if anything was. */
  async commitPacked(): Promise<void> {
    const path = this.#preparedPacked;
    if (path === undefined) return;
    await rename(fromBytePath(`${path}.new`), fromBytePath(path));
    this.#preparedPacked = undefined;
    if (this.#context.sync) await syncDirectories([parentOf(path)]);
  }

  /** Gives up what was prepared. To be called while packed-refs.lock is held; harmless a second time. */
  async dropPacked(): Promise<void> {
    const path = this.#preparedPacked;
    this.#preparedPacked = undefined;
    if (path !== undefined) await unlink(fromBytePath(`${path}.new`)).catch(() => {});
  }

  async #logHead(step: RefStep): Promise<void> {
    if (this.#reflog === undefined || step.edit.name !== this.#headTarget) return;
    await this.#context.reflogs.append("HEAD", refChange(step), this.#reflog);
  }
}
