import type { AlternateTipsOptions, ObjectId } from "@x/objects";
import type { RefStore } from "@x/refs";
import { findAlternates } from "../worker/alternates.ts";
import { type RepositoryLayout, readLayout } from "./layout.ts";

/** Opens the refs of a repository that lends objects; `undefined` when it is none that can. */
export type OpenLender = (layout: RepositoryLayout) => Promise<RefStore | undefined>;

/** What the refs of those hold from whom objects are borrowed, as C git finds them: `<repository>/objects` is one's objects. */
export class AlternateTips {
  readonly #objectsDirectory: string;
  readonly #alternates: readonly string[];
  readonly #open: OpenLender;
  readonly #lenders = new Map<string, Promise<RefStore | undefined>>();

  /** @param alternates object directories beside those in `info/alternates` */
  constructor(objectsDirectory: string, alternates: readonly string[], open: OpenLender) {
    this.#objectsDirectory = objectsDirectory;
    this.#alternates = alternates;
    this.#open = open;
  }

  async *list({ prefixes, signal }: AlternateTipsOptions = {}): AsyncGenerator<readonly ObjectId[], void> {
    const directories = new Set([...this.#alternates, ...findAlternates(this.#objectsDirectory)]);
    for (const directory of directories) {
      const refs = await this.#lender(directory);
      if (refs === undefined) continue;
      for await (const batch of refs.list({ prefixes, signal })) {
        const ids: ObjectId[] = [];
        for (const { name, target } of batch)
          if (target.kind === "id" && isBelow(name, prefixes)) ids.push(target.id);
        if (ids.length > 0) yield ids;
      }
    }
  }

  #lender(objectsDirectory: string): Promise<RefStore | undefined> {
    const known = this.#lenders.get(objectsDirectory);
    if (known !== undefined) return known;
    const opening = this.#openAt(objectsDirectory);
    this.#lenders.set(objectsDirectory, opening);
    // What is not there today may be there tomorrow.
    const forget = () => this.#lenders.delete(objectsDirectory);
    opening.then((refs) => refs ?? forget(), forget);
    return opening;
  }

  async #openAt(objectsDirectory: string): Promise<RefStore | undefined> {
    if (!objectsDirectory.endsWith("/objects")) return undefined;
    const layout = await readLayout(objectsDirectory.slice(0, -"/objects".length));
    return layout && this.#open(layout);
  }
}

/** Whole names, and all below them, as the patterns of git-for-each-ref. */
function isBelow(name: string, prefixes: readonly string[] | undefined): boolean {
  return (
    prefixes?.some(
      (prefix) => name === prefix || name.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`),
    ) ?? true
  );
}
