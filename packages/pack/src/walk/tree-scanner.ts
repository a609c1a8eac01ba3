import { rawIdLength } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { EntryScanner, type VisitEntry } from "./entry-scanner.ts";

/** An {@link EntryScanner} of the trees in a table. */
export class TreeScanner {
  readonly #table: ObjectTable;
  readonly #entries: EntryScanner;

  /** @param rememberedEntries see {@link EntryScanner} */
  constructor(table: ObjectTable, rememberedEntries?: number) {
    this.#table = table;
    this.#entries = new EntryScanner(rawIdLength(table.format), rememberedEntries);
  }

  /**
   * @param place what was shown at another place does not count as shown, unless that was place 0, which counts for all
   * @throws PackError `pack/malformed` when the object is no tree, or not a whole one
   */
  scan(number: number, visit: VisitEntry, place = 0): void {
    const { type, data, key, delta } = this.#table.readDerived(number);
    if (type !== "tree") throw this.#malformed(number, `is a ${type}, not a tree`);
    if (!this.#entries.scan(data, key, delta, visit, place))
      throw this.#malformed(number, "is a malformed tree");
  }

  #malformed(number: number, what: string): PackError {
    const id = this.#table.id(number);
    return new PackError("pack/malformed", `object ${id} ${what}`, { id });
  }
}
