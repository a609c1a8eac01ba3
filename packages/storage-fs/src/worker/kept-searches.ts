import { type ObjectId, ObjectsError } from "@x/objects";
import { CommitTable, ReachableObjects } from "@x/pack";
import { Aborted } from "./job.ts";
import type { Snapshot } from "./object-database.ts";

/** Searches kept in one worker. Each holds about a byte for each object of its store, and some 20 MiB at most beside that. */
const MAX_KEPT = 2;

/** A search that nobody asked for so long is dropped, and the packs it holds open are let go. Unit: milliseconds. */
const MAX_IDLE_MS = 30_000;

interface KeptSearch {
  readonly key: string;
  readonly search: Search;
  readonly snapshot: Snapshot;
  timer: NodeJS.Timeout | undefined;
  users: number;
}

/** What some tips reach, as far as it is known, in numbers of `objects`. */
export interface Search {
  readonly objects: Snapshot["objects"];
  readonly reachable: ReachableObjects;
}

/** What a search depends on. */
export interface SearchSubject {
  /** Tells the repository from others. */
  readonly store: string;
  readonly tips: readonly ObjectId[];
  /** Commits whose parents the store lacks on purpose. */
  readonly shallow: readonly ObjectId[];
  snapshot(): Snapshot;
}

/**
 * What refs reach, kept for the next who asks about the same refs: a partial clone that looks into its history asks again
 * and again, and each answer may otherwise cost a walk over all of it.
 */
export class KeptSearches {
  readonly #kept: Map<string, KeptSearch> = new Map();

  /** Uses the search for a subject; one that meets something broken is not kept, for it stopped in the middle. */
  async use<T>(subject: SearchSubject, work: (search: Search) => Promise<T>): Promise<T> {
    const key = `${subject.store}\n${subject.tips.join(" ")}\n${subject.shallow.join(" ")}`;
    const kept = this.#kept.get(key) ?? open(key, subject);
    this.#kept.delete(key);
    this.#kept.set(key, kept); // the latest last
    clearTimeout(kept.timer);
    kept.users++;
    try {
      return await work(kept.search);
    } catch (error) {
      const goesOn = error instanceof Aborted || error instanceof ObjectsError;
      if (!goesOn && this.#kept.get(key) === kept) this.#kept.delete(key);
      throw error;
    } finally {
      kept.users--;
      this.#settle(kept);
    }
  }

  #settle(kept: KeptSearch): void {
    for (const [key, oldest] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(key);
      if (oldest.users === 0) this.#drop(oldest);
    }
    if (kept.users > 0) return;
    if (this.#kept.get(kept.key) !== kept) this.#drop(kept);
    else {
      kept.timer = setTimeout(() => {
        this.#kept.delete(kept.key);
        this.#drop(kept);
      }, MAX_IDLE_MS);
      kept.timer.unref();
    }
  }

  #drop(kept: KeptSearch): void {
    clearTimeout(kept.timer);
    kept.snapshot.release();
  }

  /** Drops all searches of a store, or of every one. */
  forget(store?: string): void {
    for (const [key, kept] of this.#kept) {
      if (store !== undefined && !key.startsWith(`${store}\n`)) continue;
      this.#kept.delete(key);
      if (kept.users === 0) this.#drop(kept);
    }
  }
}

function open(key: string, { tips, shallow, snapshot }: SearchSubject): KeptSearch {
  const held = snapshot();
  const { objects } = held;
  const stored = (ids: readonly ObjectId[]) =>
    ids.map((id) => objects.findId(id)).filter((number) => number >= 0);
  const commits = new CommitTable(objects, new Set(stored(shallow)));
  const search = { objects, reachable: new ReachableObjects(commits, stored(tips)) };
  return { key, search, snapshot: held, timer: undefined, users: 0 };
}
