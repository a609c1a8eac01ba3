import type { CreateHasher, ObjectId, PackRequest } from "@x/objects";
import type { RememberedAnswer } from "../read/answer-memory.ts";
import type { ObjectTable } from "../read/object-table.ts";
import type { Selection } from "../walk/selection.ts";
import { RecalledSelection } from "./recalled-selection.ts";

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
  table.answers.set(key, { ...packedOf(table, selection), loose });
}

function packedOf(
  table: ObjectTable,
  selection: Selection,
): Pick<RememberedAnswer, "packed" | "packedCount"> {
  const { few } = selection;
  const { packedCount: stored } = table;
  if (few !== undefined && few.length * 32 < stored) {
    const numbers = new Set<number>();
    for (let i = 0; i < few.length; i++)
      if (few.get(i) < stored && selection.isSelected(few.get(i))) numbers.add(few.get(i));
    return { packed: Int32Array.from(numbers).sort(), packedCount: numbers.size };
  }
  const packed = new Uint8Array(Math.ceil(stored / 8));
  let packedCount = 0;
  for (let number = 0; number < stored; number++)
    if (selection.isSelected(number)) {
      packed[number >> 3] = (packed[number >> 3] as number) | (1 << (number & 7));
      packedCount++;
    }
  return { packed, packedCount };
}

/** What was selected for the same request before; `undefined` when that is not known, or not stored any more. */
export function recall(table: ObjectTable, key: string): Selection | undefined {
  const answer = table.answers.get(key);
  if (answer === undefined) return undefined;
  const loose = answer.loose.map((id) => table.findId(id));
  return loose.includes(-1) ? undefined : new RecalledSelection(table, answer, loose);
}

/**
 * Settles when the answer to a request like this one, which somebody else's walk is after, is known or given up. To be
 * waited for once, before {@link makePack}: then many who ask for the same at once cost one walk.
 */
export function soughtAnswer(
  table: ObjectTable,
  request: PackRequest,
  createHasher: CreateHasher,
): Promise<void> | undefined {
  const key = answerKey(request, createHasher);
  return key === undefined ? undefined : table.answers.sought(key);
}
