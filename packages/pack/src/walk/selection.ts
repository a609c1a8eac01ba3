import { parseTagTarget } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { SELECTED, UNINTERESTING } from "./history-walk.ts";
import { IntList, type ObjectFlags } from "./object-notes.ts";
import type { PathNotes } from "./path-notes.ts";

/** The objects that an answer consists of. */
export interface Selection {
  readonly count: number;
  /** The objects while they are few, in no order; some may stand there twice, or have been dropped. */
  readonly few: IntList | undefined;
  isSelected(number: number): boolean;
  /** Whether the other side is known to have the object. Not all it has is known. */
  isHad(number: number): boolean;
  /** Whether there is any {@link likeness}. */
  readonly knowsLikeness: boolean;
  /** An object that the other side has under the same path, if that was asked for and is known; -1 otherwise. */
  likeness(number: number): number;
  /** Adds a tag and the tags on its chain. */
  selectTag(number: number): void;
  /** Takes an object out again. @returns false when it was not in */
  drop(number: number): boolean;
}

/** Objects that are listed beside their flags: finding them among millions takes longer than a small fetch. */
const MAX_FEW = 16_384;

/** What tags stand for that were visited. */
export type TagEnds = Map<number, number>;

/**
 * What a walk found. A slow client may need it for hours, so it holds about a byte for each object of the store and no more
 * of the walk than that.
 */
export class SelectedObjects implements Selection {
  readonly #table: ObjectTable;
  readonly #flags: ObjectFlags;
  readonly #paths: PathNotes | undefined;
  #few: IntList | undefined = new IntList();
  count = 0;

  constructor(table: ObjectTable, flags: ObjectFlags, paths: PathNotes | undefined) {
    this.#table = table;
    this.#flags = flags;
    this.#paths = paths;
  }

  get few(): IntList | undefined {
    return this.#few;
  }

  isSelected(number: number): boolean {
    return (this.#flags.own(number) & SELECTED) !== 0;
  }

  isHad(number: number): boolean {
    return (this.#flags.get(number) & UNINTERESTING) !== 0;
  }

  get knowsLikeness(): boolean {
    return this.#paths !== undefined;
  }

  likeness(number: number): number {
    return this.#paths?.likeness(number) ?? -1;
  }

  /** What selected tags stand for. */
  readonly #selectedEnds: TagEnds = new Map();

  /** @returns what the chain ends at @see forTagChain */
  selectTag(number: number, checkTypes = false): number {
    return this.forTagChain(number, (tag) => this.select(tag), this.#selectedEnds, checkTypes);
  }

  /** @returns false when it is selected already or the other side has it */
  select(number: number, furtherFlags = 0): boolean {
    if (this.#flags.get(number) & (SELECTED | UNINTERESTING)) return false;
    this.#flags.set(number, SELECTED | furtherFlags);
    this.count++;
    if (this.#few !== undefined && this.#few.length < MAX_FEW) this.#few.push(number);
    else this.#few = undefined;
    return true;
  }

  drop(number: number): boolean {
    if (!this.isSelected(number)) return false;
    this.#flags.clear(number, SELECTED);
    this.count--;
    return true;
  }

  /** @see forTagChain */
  forTagChain(number: number, visit: (tag: number) => void, ends: TagEnds, checkTypes = false): number {
    return forTagChain(this.#table, number, visit, ends, checkTypes);
  }

  /** The walk is over: lets go of what only the walk needs. */
  settle(): void {
    this.#paths?.settle((number) => this.isSelected(number));
  }
}

/**
 * Visits a tag and the tags on its chain, but for those in `ends`, to which they are added: many tags may be one chain.
 * @returns what the chain ends at
 * @throws PackError `pack/missing-object`; with `checkTypes` `pack/malformed` for what is not of the type its tag says
 */
export function forTagChain(
  table: ObjectTable,
  first: number,
  visit: (tag: number) => void,
  ends: TagEnds,
  checkTypes = false,
): number {
  let number = first;
  const chain: number[] = [];
  while (table.header(number).type === "tag") {
    const end = ends.get(number);
    if (end !== undefined) {
      number = end;
      break;
    }
    visit(number);
    chain.push(number);
    const target = parseTagTarget(table.read(number).data, table.format);
    const next = table.findId(target.id);
    if (next < 0) throw missingObject(`bad object ${target.id}, the target of tag ${table.id(number)}`);
    const { type } = table.header(next);
    if (checkTypes && type !== target.type)
      throw new PackError("pack/malformed", `object ${target.id} is a ${type}, not a ${target.type}`, {
        id: target.id,
      });
    number = next;
  }
  for (const tag of chain) ends.set(tag, number);
  return number;
}

/** What a walk fails with when it meets an object that is not stored. */
export function missingObject(message: string): PackError {
  return new PackError("pack/missing-object", message);
}
