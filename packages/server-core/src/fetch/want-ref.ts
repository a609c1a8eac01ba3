import type { ObjectId } from "@x/objects";
import { plain, refused, type Session } from "../session.ts";
import type { FetchRequest } from "./fetch-request.ts";

/** What a client wants by name, so that a ref may move before the request comes. Spec: gitprotocol-v2, "want-ref". */
export class WantedRefs {
  readonly #found = new Map<string, ObjectId>();
  #asked: string[] = [];

  /** Takes a name in; {@link resolve} judges it. */
  add(name: string): void {
    this.#asked.push(name);
  }

  /**
   * Turns the names that came since the last time into wants.
   * @throws ServiceError `server-core/refused`; what is hidden reads like what is missing
   */
  async resolve(session: Session, request: FetchRequest): Promise<void> {
    if (this.#asked.length === 0) return;
    const names = this.#asked;
    this.#asked = [];
    const found = await session.refs.resolveAll(names, session.signal);
    for (const name of names) {
      const id = found.get(name);
      if (id === undefined) throw refused(`unknown ref ${plain(name)}`);
      if (this.#found.has(name)) throw refused(`duplicate want-ref ${plain(name)}`);
      this.#found.set(name, id);
      request.wants.add(id);
      session.shown.promise(id);
    }
  }

  /** The section that tells what they held, in the client's order; empty when none was wanted. */
  lines(): string[] {
    if (this.#found.size === 0) return [];
    return ["wanted-refs\n", ...[...this.#found].map(([name, id]) => `${id} ${name}\n`)];
  }
}
