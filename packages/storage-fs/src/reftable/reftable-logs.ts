import { type ObjectFormat, type ObjectId, zeroId } from "@x/objects";
import {
  encodeReftableLogValue,
  fitsReftable,
  logFromReftables,
  type ReflogEntry,
  type ReftableLog,
  type ReftableShapeOptions,
  type ReftableTable,
} from "@x/refs";
import { createsReflog, oneLine, type RefChange, type ReflogPolicy, timestamp } from "../refs/reflogs.ts";
import { reftableZlib } from "./reftable-lock.ts";

/** What logs are written with. */
export interface ReftableLogContext {
  readonly policy: ReflogPolicy;
  readonly shape: ReftableShapeOptions & { readonly blockSize: number };
  readonly warn: (message: string) => void;
}

/** Makes the entries of logs that one change of a stack adds, going by what the stack holds. */
export class ReftableLogs {
  readonly #context: ReftableLogContext;
  readonly #tables: readonly ReftableTable[];
  readonly #updateIndex: bigint;
  readonly #logs: ReftableLog[] = [];

  constructor(context: ReftableLogContext, tables: readonly ReftableTable[], updateIndex: bigint) {
    this.#context = context;
    this.#tables = tables;
    this.#updateIndex = updateIndex;
  }

  /** Sorted as a table takes them. */
  get all(): readonly ReftableLog[] {
    return this.#logs.sort((a, b) =>
      a.name !== b.name ? (a.name < b.name ? -1 : 1) : a.updateIndex > b.updateIndex ? -1 : 1,
    );
  }

  /** Continues the log of `name`, or begins one where that is wanted. */
  async append(name: string, change: RefChange, entry: ReflogEntry): Promise<void> {
    if (!createsReflog(this.#context.policy, name) && !(await this.#exists(name))) return;
    const value = this.#encode(name, change, entry);
    if (value !== undefined) this.#logs.push({ name, updateIndex: this.#updateIndex, value });
    else this.#context.warn(`unable to append to the reflog of ${name}: it does not fit in a block`);
  }

  /** Ends the log of `name`: the format has no other way than to take back each entry. */
  async remove(name: string): Promise<void> {
    for await (const { updateIndex } of logFromReftables(this.#tables, name, reftableZlib))
      this.#logs.push({ name, updateIndex, value: undefined });
  }

  async #exists(name: string): Promise<boolean> {
    for await (const _ of logFromReftables(this.#tables, name, reftableZlib)) return true;
    return false;
  }

  /** As C git, half a block at most goes to the message; and less, rather than no entry. */
  #encode(name: string, change: RefChange, entry: ReflogEntry): Uint8Array | undefined {
    const { shape } = this.#context;
    const text = entry.message
      .replace(/\s+/g, " ")
      .trim()
      .slice(0, shape.blockSize >> 1);
    const whole = entryOf(shape.format, change, entry, text);
    if (fitsReftable(name, shape, whole.length)) return whole;
    const bare = entryOf(shape.format, change, entry, "");
    let room = text.length;
    while (room > 0 && !fitsReftable(name, shape, bare.length + 2 + room)) room >>= 1;
    const cut = entryOf(shape.format, change, entry, text.slice(0, room));
    return fitsReftable(name, shape, cut.length) ? cut : undefined;
  }
}

function entryOf(
  format: ObjectFormat,
  { from, to }: RefChange,
  { committer }: ReflogEntry,
  message: string,
): Uint8Array {
  const [, name = "", mail = ""] = /^(.*?) ?<([^<>]*)>?$/.exec(oneLine(committer)) ?? [];
  const [seconds, zone] = timestamp().split(" ");
  const none: ObjectId = zeroId(format);
  return encodeReftableLogValue({
    from: from ?? none,
    to: to ?? none,
    name,
    mail,
    time: Number(seconds),
    zone: Number(zone),
    message: `${message}\n`,
  });
}
