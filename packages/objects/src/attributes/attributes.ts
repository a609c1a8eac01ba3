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
    if (file.rules.length === 0) return;
    const name = path.slice(directory.length);
    const isDirectory = name.endsWith("/");
    const whole = isDirectory ? name.slice(0, -1) : name;
    const base = whole.slice(whole.lastIndexOf("/") + 1);
    for (let i = file.rules.length - 1; i >= 0; i--) {
      const rule = file.rules[i] as AttributeRule;
      if (rule.isDirectory && !isDirectory) continue;
      if (matchesPath(rule.pattern, rule.isBaseName ? base : whole, this.#source))
        this.#fill(rule.states, found);
    }
  }

  #fill(states: AttributeRule["states"], found: Map<string, AttributeState>): void {
    for (let i = states.length - 1; i >= 0; i--) {
      const [name, state] = states[i] as (typeof states)[number];
      if (found.has(name)) continue;
      found.set(name, state);
      const macro = state === true ? this.#macros.get(name) : undefined;
      if (macro !== undefined) this.#fill(macro, found);
    }
  }
}
