import { mkdirSync, writeFileSync } from "node:fs";
import type { ObjectFormat, ObjectHeader, ObjectId } from "@x/objects";
import type { HeldFiles } from "../pool/worker-protocol.ts";
import { decodeReceived } from "./received-objects.ts";

/** Packs of a quarantine that lie in the memory of its worker, as far as can be told of them without asking there. */
export class HeldObjects {
  readonly #format: ObjectFormat;
  readonly #packs: HeldFiles[] = [];
  readonly #headers: Map<ObjectId, ObjectHeader> = new Map();
  readonly #written: Set<HeldFiles> = new Set();

  constructor(format: ObjectFormat) {
    this.#format = format;
  }

  /** File names without suffix. */
  get names(): readonly string[] {
    return this.#packs.map(({ name }) => name);
  }

  /** Objects that came in, if they are few. */
  get ids(): Iterable<ObjectId> {
    return this.#headers.keys();
  }

  add(pack: HeldFiles): void {
    this.#packs.push(pack);
    if (pack.objects === undefined) return;
    for (const { id, type, size } of decodeReceived(pack.objects, this.#format))
      this.#headers.set(id, { type, size });
  }

  /** @returns `undefined` when one of `ids` is not known here */
  headers(ids: readonly ObjectId[]): ObjectHeader[] | undefined {
    const headers: ObjectHeader[] = [];
    for (const id of ids) {
      const header = this.#headers.get(id);
      if (header === undefined) return undefined;
      headers.push(header);
    }
    return headers;
  }

  /** Writes the packs that are not there yet to where the programs of a hook look for them. Waits for no disk. */
  writeTo(directory: string): void {
    mkdirSync(`${directory}/pack`, { recursive: true, mode: 0o700 });
    for (const pack of this.#packs) {
      if (this.#written.has(pack)) continue;
      this.#written.add(pack);
      const { name, packBytes, indexBytes, reverseIndexBytes } = pack;
      const path = `${directory}/pack/${name}`;
      writeFileSync(`${path}.pack`, packBytes, { mode: 0o444 });
      writeFileSync(`${path}.rev`, reverseIndexBytes, { mode: 0o444 });
      writeFileSync(`${path}.idx`, indexBytes, { mode: 0o444 });
    }
  }
}
