import type { ObjectId } from "@x/objects";
import { varintLength, writeVarint } from "./reftable-varint.ts";

/*
 * key    the first bytes of an id, as many as tell all ids apart, two at least
 * value  [varint count, where the type does not say it]  varint position of a block  varint how far on the next is  …
 * The type is the count where that is below 8. A count of 0: any block may name the object.
 */

/** One record of a block of objects. */
export interface ReftableObjectRecord {
  readonly key: string;
  readonly type: number;
  readonly value: Uint8Array;
  /** Instead of `value`, with type 0, where no block can hold that. */
  readonly short: Uint8Array;
}

/** Gathers which blocks of refs name an object. Spec: reftable, "Obj block format". */
export class ReftableObjectIndex {
  readonly #positions = new Map<ObjectId, number[]>();

  /** The block at `position` names `id`; positions ascend. */
  add(id: ObjectId, position: number): void {
    const known = this.#positions.get(id);
    if (known === undefined) this.#positions.set(id, [position]);
    else if (known.at(-1) !== position) known.push(position);
  }

  /** How much of an id tells it from all others. Unit: bytes. */
  idLength(): number {
    let shared = 1;
    let before: string | undefined;
    for (const id of this.#sorted()) {
      if (before !== undefined) shared = Math.max(shared, sharedBytes(before, id));
      before = id;
    }
    return shared + 1;
  }

  /** In order of ids. */
  *records(idLength: number): Generator<ReftableObjectRecord, void, undefined> {
    const short = Uint8Array.of(0);
    for (const id of this.#sorted()) {
      const positions = this.#positions.get(id) as number[];
      const isCounted = positions.length > 7;
      const numbers = positions.map((position, i) =>
        i === 0 ? position : position - (positions[i - 1] ?? 0),
      );
      if (isCounted) numbers.unshift(positions.length);
      const value = new Uint8Array(numbers.reduce((sum, number) => sum + varintLength(number), 0));
      let at = 0;
      for (const number of numbers) at = writeVarint(value, at, number);
      yield { key: bytesOf(id, idLength), type: isCounted ? 0 : positions.length, value, short };
    }
  }

  #sorted(): ObjectId[] {
    return [...this.#positions.keys()].sort();
  }
}

function sharedBytes(a: string, b: string): number {
  let digits = 0;
  while (digits < a.length && a.charCodeAt(digits) === b.charCodeAt(digits)) digits++;
  return digits >> 1;
}

function bytesOf(id: ObjectId, length: number): string {
  let key = "";
  for (let i = 0; i < length; i++) key += String.fromCharCode(Number(`0x${id.slice(2 * i, 2 * i + 2)}`));
  return key;
}
