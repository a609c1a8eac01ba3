import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { git, gitEnvironment, temporaryDirectory } from "@tooling/test-kit";
import {
  type ObjectFormat,
  type ObjectId,
  type ObjectStore,
  ObjectsError,
  objectIdFromBytes,
  parseFsckConfig,
  type ReceiveLimits,
} from "@x/objects";
import { DEFAULT_LIMITS } from "@x/server-core";
import { createFileObjectStore, createWorkerPool, type WorkerPool } from "@x/storage-fs";
import { basics } from "../../../packages/pack/test/case-objects.ts";
import { packOf } from "../../../packages/pack/test/pack-builder.ts";

/** What became of one pack. */
export interface Verdict {
  readonly accepted: boolean;
  /** Why not; `unconnected` when it was taken in, and refers to what is not there. */
  readonly reason: string;
  /** Tips of which one at least is unconnected. */
  readonly unconnected: readonly ObjectId[];
  /** Unit: milliseconds. */
  readonly ms: number;
}

/** A repository with the objects that packs may build on, to which packs come without staying. */
export class PackCourt {
  readonly format: ObjectFormat;
  readonly directory: string;
  readonly #pool: WorkerPool;
  readonly #known: ObjectId;

  private constructor(format: ObjectFormat, directory: string, pool: WorkerPool) {
    this.format = format;
    this.directory = directory;
    this.#pool = pool;
    this.#known = objectIdFromBytes(basics(format).storedCommitId, format);
  }

  static async open(format: ObjectFormat): Promise<PackCourt> {
    const directory = `${temporaryDirectory("court")}/r.git`;
    await emptyWithStored(directory, format);
    return new PackCourt(format, directory, createWorkerPool({ heavyWorkers: 1 }));
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #store(directory: string): ObjectStore {
    return createFileObjectStore(this.#pool, {
      format: this.format,
      objectsDirectory: `${directory}/objects`,
      alternates: [],
      shallowFile: `${directory}/shallow`,
      maxObjectBytes: 1 << 30,
      durability: "git",
    });
  }

  /**
   * What a push makes of `pack` whose commands name all of its objects, or its commits. With `keepIn` it is kept there, when sound.
   * @throws what is nobody's fault but ours
   */
  async ours(
    pack: Uint8Array,
    keepIn?: string,
    limits: ReceiveLimits = DEFAULT_LIMITS.receive,
  ): Promise<Verdict> {
    const started = performance.now();
    const { severities, maxPathnameBytes, skipLists } = parseFsckConfig([], "receive.fsck.");
    const options = {
      limits,
      fsck: { severities, maxPathnameBytes, skipLists },
      onMessage: () => {},
    };
    const verdict = (reason: string, unconnected: readonly ObjectId[] = []) => ({
      accepted: reason === "",
      reason,
      unconnected,
      ms: performance.now() - started,
    });
    const quarantine = await this.#store(keepIn ?? this.directory).receive();
    try {
      const receipt = await quarantine.takePack(inChunks(pack), options);
      if (receipt.trailingBytes > 0) return verdict("garbage after the pack");
      const ids: ObjectId[] = [];
      const commits: ObjectId[] = [];
      for await (const batch of quarantine.received?.() ?? [])
        for (const { id, type } of batch) {
          ids.push(id);
          if (type === "commit") commits.push(id);
        }
      // How deep trees are counts from the tips: commits once more by themselves.
      for (const tips of [ids, commits])
        if (tips.length > 0 && (await quarantine.unconnected(tips, [this.#known])).length > 0)
          return verdict("unconnected", tips);
      if (keepIn !== undefined) await quarantine.publish();
      return verdict("");
    } catch (error) {
      if (error instanceof ObjectsError && /bad-pack|limit-exceeded|refused/.test(error.code))
        return verdict(error.message || error.code);
      throw error;
    } finally {
      await quarantine.discard();
    }
  }

  /** Whether `git index-pack --strict --stdin --fix-thin` takes each of `packs`, all run by one process of sh. */
  git(packs: readonly Uint8Array[]): boolean[] {
    const work = temporaryDirectory("oracle");
    for (const [i, pack] of packs.entries()) writeFileSync(`${work}/${i}`, pack);
    const objects = `${work}/objects`;
    mkdirSync(objects);
    const script = `ulimit -v 2000000; ulimit -c 0; i=0; while [ $i -lt ${packs.length} ]; do
      if git index-pack --strict --stdin --fix-thin <"$WORK/$i" >/dev/null 2>&1; then echo 1; rm -rf "$WORK"/objects/*
      else echo 0; fi; rm -f "$WORK"/objects/pack/tmp_*; i=$((i+1)); done >"$WORK/verdicts"`;
    execFileSync("sh", ["-c", script], {
      cwd: this.directory,
      env: {
        ...gitEnvironment(),
        WORK: work,
        GIT_OBJECT_DIRECTORY: objects,
        GIT_ALTERNATE_OBJECT_DIRECTORIES: `${this.directory}/objects`,
      },
      stdio: "ignore",
    });
    const verdicts = readFileSync(`${work}/verdicts`, "latin1").trim().split("\n");
    rmSync(work, { recursive: true, force: true });
    return verdicts.map((line) => line === "1");
  }
}

/** A bare repository that has what thin packs build on. */
export async function emptyWithStored(directory: string, format: ObjectFormat): Promise<void> {
  await git(["init", "-q", "--bare", `--object-format=${format}`, directory]);
  const { stored, storedTree, storedCommit, storedCommitId } = basics(format);
  execFileSync("git", ["index-pack", "--stdin"], {
    cwd: directory,
    env: gitEnvironment(),
    input: packOf([stored, storedTree, storedCommit], { format }),
    stdio: ["pipe", "ignore", "inherit"],
  });
  await git(["update-ref", "refs/heads/main", Buffer.from(storedCommitId).toString("hex")], {
    cwd: directory,
  });
}

async function* inChunks(pack: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < pack.length; at += 65_536) yield pack.slice(at, at + 65_536);
}
