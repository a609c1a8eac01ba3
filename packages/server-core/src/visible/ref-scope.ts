import type { Repository } from "../ports.ts";
import { type HideSection, type IsHidden, readHideRules } from "./hide-rules.ts";

/** What part of a repository's names a session works in: those below its namespace that no rule hides. */
export class RefScope {
  /** The same for the same part, for what is remembered of it between calls. */
  readonly key: string;
  readonly #namespace: string;
  readonly #isHidden: IsHidden;

  /** @throws ServiceError `server-core/repository-unusable` */
  constructor(repository: Pick<Repository, "config" | "namespace">, section: HideSection) {
    const rules = readHideRules(repository.config, section);
    this.#namespace = repository.namespace ?? "";
    this.#isHidden = rules.isHidden;
    this.key = `${this.#namespace}\n${rules.key}`;
  }

  /** There are names outside of it. */
  get isNarrow(): boolean {
    return this.#namespace !== "";
  }

  /** A name as it is stored. */
  fullName(name: string): string {
    return this.#namespace + name;
  }

  /** A stored name as clients see it; `undefined` outside of the namespace. */
  nameOf(fullName: string): string | undefined {
    return fullName.startsWith(this.#namespace) ? fullName.slice(this.#namespace.length) : undefined;
  }

  isVisible(name: string): boolean {
    return !this.#isHidden(name, this.#namespace + name);
  }

  /** Whether a ref outside of the namespace may lend its object, though not its name, to a push. */
  mayLend(fullName: string): boolean {
    return !this.#isHidden(undefined, fullName);
  }
}
