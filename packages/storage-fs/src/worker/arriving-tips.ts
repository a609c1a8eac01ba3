import type { ObjectId } from "@x/objects";
import { CommitTable, connectsAtOnce, type IndexedPack, type ObjectTable, storedNumbers } from "@x/pack";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import type { Job } from "./job.ts";
import { readShallow } from "./read-shallow.ts";

/** For so long what was known when the pack began is known: refs may go at any time. Unit: milliseconds. */
const KNOWN_MS = 100;

/** What takes longer is a question of its own, with a limit of its own. Unit: milliseconds. */
const MAX_LOOK_MS = 15;

/** Looks whether tips connect, once the pack that brings them is in. */
export class ArrivingTips {
  readonly #job: Job;
  readonly #tips: readonly ObjectId[] | undefined;
  readonly #known: readonly ObjectId[] | undefined;
  readonly #begun: number = performance.now();
  #isKnown = false;

  /** @param tips `undefined` when nobody asks @param known whatever these reach is there just now */
  constructor(job: Job, tips: readonly ObjectId[] | undefined, known: readonly ObjectId[] | undefined) {
    this.#job = job;
    this.#tips = tips;
    this.#known = known;
  }

  /** To be called when the end of the pack has come. @throws Aborted */
  async packIn(): Promise<void> {
    this.#isKnown = this.#known !== undefined && performance.now() - this.#begun < KNOWN_MS;
    if (this.#tips !== undefined && !this.#isKnown) await this.#job.emit({ kind: "known" });
  }

  /**
   * @param objects what was stored before
   * @returns `undefined` when nobody asks; `false` when they do not connect, or that is not known
   * @throws Aborted
   */
  async connect(
    { index, receivedEnd, outerReferences }: IndexedPack,
    objects: ObjectTable,
    location: StoreLocation,
  ): Promise<boolean | undefined> {
    const tips = this.#tips;
    if (tips === undefined) return undefined;
    const known = this.#isKnown
      ? this.#known
      : ((await this.#job.answer()) as readonly ObjectId[] | undefined);
    if (known === undefined) return false;
    const commits = new CommitTable(objects, new Set(storedNumbers(objects, readShallow(location))));
    const packs = [{ index, receivedEnd, outerReferences: outerReferences?.rows }];
    const look = connectsAtOnce(commits, { tips, known, packs });
    for (const end = performance.now() + MAX_LOOK_MS; performance.now() < end; ) {
      const step = look.next();
      if (step.done) return step.value;
    }
    return false;
  }
}
