import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  createFsck,
  type Fsck,
  type FsckFinding,
  type FsckMessageId,
  fsckLevels,
  type ObjectId,
  parseFsckConfig,
} from "@x/objects";
import type { Repository } from "@x/server-core";
import type { RepositoryLayout } from "@x/storage-fs";
import { printable } from "../printable.ts";
import { checkLoose, listLoose } from "./check-loose.ts";
import { checkPack, listPacks } from "./check-packs.ts";
import { checkRefs } from "./check-refs.ts";
import { ObjectGraph } from "./object-graph.ts";

/** How a repository is looked at. */
export interface FsckRepositoryOptions {
  /** What is a warning counts as an error. */
  readonly strict: boolean;
  /** Tell of objects that nothing leads to. */
  readonly dangling: boolean;
  /** Gets what was found, without line ends. */
  readonly onLine: (to: "out" | "err", line: string) => void;
  /** So many objects were looked at. */
  readonly onProgress: (objects: number) => void;
}

/** Bits of the exit status. Spec: git's fsck, whose they are. */
const ERROR_OBJECT = 1;
const ERROR_REACHABLE = 2;
const ERROR_PACK = 4;
const ERROR_REFS = 8;

/** So many ids are asked for at a time. */
const BATCH = 1000;
const PROGRESS_EVERY = 1000;

/**
 * Looks at all objects, at what leads to what, and at the refs, in git's words.
 * @returns the exit status: the sum of 1 for a bad object, 2 for one that is missing, 4 for a bad pack, 8 for a bad ref
 */
export async function fsckRepository(
  repository: Repository,
  layout: RepositoryLayout,
  options: FsckRepositoryOptions,
): Promise<number> {
  const check = new Check(repository, layout, options);
  await check.objects();
  await check.connectivity();
  return check.status;
}

class Check {
  status = 0;
  readonly #repository: Repository;
  readonly #layout: RepositoryLayout;
  readonly #options: FsckRepositoryOptions;
  readonly #graph: ObjectGraph;
  readonly #fsck: Fsck;

  constructor(repository: Repository, layout: RepositoryLayout, options: FsckRepositoryOptions) {
    this.#repository = repository;
    this.#layout = layout;
    this.#options = options;
    this.#graph = new ObjectGraph(repository.objectFormat);
    const settings = [...(repository.config.entries?.("fsck.") ?? [])];
    const { severities, maxPathnameBytes } = parseFsckConfig(
      settings,
      "fsck.",
      options.strict ? new Map() : WARNINGS,
    );
    this.#fsck = createFsck({
      format: repository.objectFormat,
      severities,
      maxPathnameBytes,
      explainUnparsable: true,
    });
  }

  #out(line: string): void {
    this.#options.onLine("out", line);
  }

  #error(bit: number, line: string): void {
    this.status |= bit;
    this.#options.onLine("err", `error: ${printable(line)}`);
  }

  #tell(findings: readonly FsckFinding[]): void {
    for (const { severity, objectType, objectId, id, message } of findings) {
      if (severity === "error") this.status |= ERROR_OBJECT;
      const words = id === undefined ? message : `${id}: ${message}`;
      this.#options.onLine(
        "err",
        `${severity === "error" ? "error" : "warning"} in ${objectType} ${objectId}: ${printable(words)}`,
      );
    }
  }

  async objects(): Promise<void> {
    const { objectFormat } = this.#repository;
    const { objectsDirectory, gitDirectory } = this.#layout;
    const { packs, strayIndexes } = listPacks(objectsDirectory);
    const nameOf = (file: string) => relative(gitDirectory, file);
    for (const file of strayIndexes) this.#error(ERROR_PACK, `${nameOf(file)}: there is no such pack`);
    for (const file of packs) {
      const before = this.#graph.count;
      const fault = await checkPack(file, objectFormat, {
        object: (rawId, type, data) => {
          this.#tell(this.#fsck.check(type, rawId, data));
          this.#graph.add(rawId, type, data);
        },
        packed: (rawId) => this.#graph.add(rawId, "blob"),
        progress: (objects) => this.#options.onProgress(before + objects),
      });
      if (fault !== undefined) this.#error(ERROR_PACK | ERROR_OBJECT, `${nameOf(file)}: ${fault}`);
    }
    let looked = 0;
    for (const { file, id } of listLoose(objectsDirectory, objectFormat)) {
      const found = checkLoose(file, id, objectFormat);
      if ("fault" in found) this.#error(ERROR_OBJECT, `${id}: ${found.fault}: ${nameOf(file)}`);
      else {
        this.#tell(this.#fsck.check(found.type, found.rawId, found.data));
        this.#graph.add(found.rawId, found.type, found.data);
      }
      if (++looked % PROGRESS_EVERY > 0) continue;
      this.#options.onProgress(this.#graph.count);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#options.onProgress(this.#graph.count);
    for (const id of this.#fsck.pending()) await this.#checkPending(id);
  }

  /** A blob with a name that means something to git. What is not there is told of later. */
  async #checkPending(id: ObjectId): Promise<void> {
    if (!this.#graph.has(id)) return;
    try {
      this.#tell(this.#fsck.checkPending(id, await this.#repository.objects.read(id)));
    } catch (error) {
      this.#error(ERROR_OBJECT, `${id}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async connectivity(): Promise<void> {
    const roots: ObjectId[] = [];
    const has = async (id: ObjectId) =>
      (await this.#repository.objects.has([id]).catch(() => []))[0] === true;
    for await (const found of checkRefs(this.#repository, this.#layout, this.#graph, has)) {
      if (found.root !== undefined) roots.push(found.root);
      if (found.notice !== undefined) this.#options.onLine("err", `notice: ${found.notice}`);
      if (found.fault !== undefined)
        this.#error(found.fault.kind === "pointer" ? ERROR_REACHABLE : ERROR_REFS, found.fault.text);
    }
    const shallow = new Set(await this.#repository.objects.shallow());
    const { missing, reached } = this.#graph.reach(roots, shallow);
    const promised = await hasPromisorPacks(this.#layout.objectsDirectory);
    for (let at = 0; at < missing.length && !promised; at += BATCH) {
      const batch = missing.slice(at, at + BATCH);
      // What is borrowed from an alternate is not looked into, as long as it is there.
      const elsewhere = await this.#repository.objects.has(batch.map(({ id }) => id)).catch(() => []);
      for (const [i, { id, type, from }] of batch.entries()) {
        if (elsewhere[i] === true && !this.#graph.has(id) && (await this.#isBorrowed(id))) continue;
        this.status |= ERROR_REACHABLE;
        if (from !== undefined)
          this.#out(
            `broken link from ${from.type.padStart(7)} ${from.id}\n              to ${type.padStart(7)} ${id}`,
          );
        this.#out(`missing ${type} ${id}`);
      }
    }
    if (!this.#options.dangling) return;
    for (const { id, type } of this.#graph.dangling(reached)) this.#out(`dangling ${type} ${id}`);
  }

  /** Whether it can be read: an index may list what its pack has no more. */
  async #isBorrowed(id: ObjectId): Promise<boolean> {
    const [header] = await this.#repository.objects.headers([id]).catch(() => []);
    return header !== undefined;
  }
}

/** As git's levels are where nothing is received; modes such as 0100664 it looks at in strict checks only. */
const WARNINGS: ReadonlyMap<FsckMessageId, "warn" | "ignore"> = new Map([
  ...Object.entries(fsckLevels)
    .filter(([, level]) => level === "warn" || level === "info")
    .map(([id]) => [id as FsckMessageId, "warn"] as const),
  ["badFilemode", "ignore"],
]);

async function hasPromisorPacks(objectsDirectory: string): Promise<boolean> {
  const names = await readdir(join(objectsDirectory, "pack")).catch(() => []);
  return names.some((name) => name.endsWith(".promisor"));
}
