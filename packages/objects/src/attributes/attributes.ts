import { matchesPath } from "../pattern/matches-path.ts";
import {
  type AttributeFile,
  type AttributeRule,
  type AttributeState,
  parseAttributes,
} from "./attribute-file.ts";

/** Where attributes come from. Contents have one character for each byte. */
export interface AttributeSource {
  /** The `.gitattributes` of a directory, which is `""` for the top or ends in a slash. */
  read(directory: string): string | undefined;
  /** `$GIT_COMMON_DIR/info/attributes`: goes before all others. */
  readonly repository: string | undefined;
  /** The user's own: goes after all others. */
  readonly user: string | undefined;
  readonly ignoreCase: boolean;
}

const BINARY: AttributeRule["states"] = [
  ["diff", false],
  ["merge", false],
  ["text", false],
];

/** Tells the attributes of paths, which have one character for each byte. Spec: gitattributes. */
export class Attributes {
  readonly #source: AttributeSource;
  readonly #files: Map<string, AttributeFile | undefined> = new Map();
  readonly #repository: AttributeFile;
  readonly #user: AttributeFile;
  readonly #macros: Map<string, AttributeRule["states"]> = new Map([["binary", BINARY]]);

  constructor(source: AttributeSource) {
    this.#source = source;
    this.#repository = parseAttributes(source.repository ?? "");
    this.#user = parseAttributes(source.user ?? "");
    // Macros count in these files and at the top only.
    for (const file of [this.#user, this.#file(""), this.#repository])
      for (const [name, states] of file?.macros ?? []) this.#macros.set(name, states);
  }

  /** The attributes that something is said of. @param path a directory's ends in a slash */
  of(path: string): ReadonlyMap<string, AttributeState> {
    const found = new Map<string, AttributeState>();
    this.#apply(this.#repository, "", path, found);
    const end = path.endsWith("/") ? path.length - 2 : path.length;
    for (let slash = path.lastIndexOf("/", end); ; slash = path.lastIndexOf("/", slash - 1)) {
      const directory = path.slice(0, slash + 1);
      const file = this.#file(directory);
      if (file !== undefined) this.#apply(file, directory, path, found);
      if (slash <= 0) break;
    }
    this.#apply(this.#user, "", path, found);
    return found;
  }

  /** Whoever is through with a directory need not keep what its file says. */
  forget(directory: string): void {
    this.#files.delete(directory);
  }

  #file(directory: string): AttributeFile | undefined {
    if (!this.#files.has(directory)) {
      const text = this.#source.read(directory);
      this.#files.set(directory, text === undefined ? undefined : parseAttributes(text));
    }
    return this.#files.get(directory);
  }

  /** What was found before stays. */
  #apply(file: AttributeFile, directory: string, path: string, found: Map<string, AttributeState>): void {
    for (const rule of file.rules.toReversed())
      if (this.#fits(rule, path.slice(directory.length))) this.#fill(rule.states, found);
  }

  #fits({ pattern, isBaseName, isDirectory }: AttributeRule, path: string): boolean {
    const whole = path.endsWith("/") ? path.slice(0, -1) : path;
    if (isDirectory && whole.length === path.length) return false;
    const text = isBaseName ? whole.slice(whole.lastIndexOf("/") + 1) : whole;
    return matchesPath(pattern, text, { ignoreCase: this.#source.ignoreCase });
  }

  #fill(states: AttributeRule["states"], found: Map<string, AttributeState>): void {
    for (const [name, state] of states.toReversed()) {
      if (found.has(name)) continue;
      found.set(name, state);
      const macro = state === true ? this.#macros.get(name) : undefined;
      if (macro !== undefined) this.#fill(macro, found);
    }
  }
}
