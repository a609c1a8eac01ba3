import type { CreateHasher, ObjectId, PackRequest } from "@x/objects";
import type { RememberedAnswer } from "../read/answer-memory.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { ObjectFlags } from "../walk/object-notes.ts";
import { SelectedObjects, type Selection } from "../walk/selection.ts";

/** With more objects in no pack an answer is not worth remembering: they will be packed soon. */
const MAX_LOOSE = 1024;

/**
 * A name for everything that decides which objects a request reaches; `undefined` when that has more to do with its client
 * than with its like. Clients choose the text: it takes a strong hash to name it.
 */
export function answerKey(request: PackRequest, createHasher: CreateHasher): string | undefined {
  const { wants, haves, shallow = [], filter, allowMissing = false } = request;
  if (haves.length > 0) return undefined;
  const inOrder = (ids: readonly ObjectId[]) => [...new Set(ids)].sort();
  const text = JSON.stringify([inOrder(wants), inOrder(shallow), filterText(filter), allowMissing]);
  const hasher = createHasher("sha256");
  hasher.update(new TextEncoder().encode(text));
  return hasher.digest().join();
}

/** JSON knows no `Infinity`. */
function filterText(filter: PackRequest["filter"]): string {
  return JSON.stringify(filter ?? null, (_, value) => (value === Infinity ? "infinity" : value));
}

/** Keeps a selection for the next who asks the same, unless it is too scattered. */
export function remember(table: ObjectTable, key: string, selection: Selection): void {
  const loose: ObjectId[] = [];
  for (const number of table.looseNumbers())
    if (selection.isSelected(number) && loose.push(table.id(number)) > MAX_LOOSE) return;
  table.answers.set(key, { packed: packedOf(table, selection), loose });
}

function packedOf(table: ObjectTable, selection: Selection): RememberedAnswer["packed"] {
  const { few } = selection;
  const { packedCount } = table;
  if (few !== undefined && few.length * 32 < packedCount) {
    const numbers = new Set<number>();
    for (let i = 0; i < few.length; i++)
      if (few.get(i) < packedCount && selection.isSelected(few.get(i))) numbers.add(few.get(i));
    return Int32Array.from(numbers);
  }
  const bits = new Uint8Array(Math.ceil(packedCount / 8));
  for (let number = 0; number < packedCount; number++)
    if (selection.isSelected(number)) bits[number >> 3] = (bits[number >> 3] as number) | (1 << (number & 7));
  return bits;
}

/** What was selected for the same request before; `undefined` when that is not known, or not stored any more. */
export function recall(table: ObjectTable, key: string): SelectedObjects | undefined {
  const answer = table.answers.get(key);
  if (answer === undefined) return undefined;
  const loose = answer.loose.map((id) => table.findId(id));
  if (loose.includes(-1)) return undefined;
  const selection = new SelectedObjects(table, new ObjectFlags(table.count), undefined);
  const { packed } = answer;
  if (packed instanceof Int32Array) for (const number of packed) selection.select(number);
  else
    for (const [at, byte] of packed.entries())
      for (let bits = byte, bit = 0; bits !== 0; bits >>= 1, bit++)
        if (bits & 1) selection.select(at * 8 + bit);
  for (const number of loose) selection.select(number);
  return selection;
}
