import { compileTokens, type Token } from "./wildmatch-tokens.ts";

/** The places in a pattern that a text read so far may have come to, ascending; empty when it cannot match any more. */
export type Positions = readonly number[];

/** How a pattern is meant. */
export interface WildmatchOptions {
  /** Every wildcard matches slashes as well: `fnmatch` without `FNM_PATHNAME`. */
  readonly acrossSlashes?: boolean;
}

/**
 * A compiled `wildmatch` pattern that reads its text piece by piece. All ways to match are followed at once: time is
 * bounded by pattern times text, whatever the pattern. Spec: gitignore(5), "PATTERN FORMAT"; slashes are matched by
 * themselves and by `**` between them only.
 */
export class Wildmatch {
  readonly #tokens: readonly Token[];
  /** When each place was last reached: which step, that is. */
  readonly #marks: Uint32Array;
  #step = 0;
  /** Before the first byte. */
  readonly start: Positions;

  /** @param pattern one character for each byte */
  constructor(pattern: string, options: WildmatchOptions = {}) {
    this.#tokens = compileTokens(pattern, options.acrossSlashes === true);
    this.#marks = new Uint32Array(this.#tokens.length + 1);
    const start: number[] = [];
    this.#nextStep();
    this.#reach(0, start);
    this.start = start.sort(ascending);
  }

  /** Reads `text[from … to)`. */
  advance(positions: Positions, text: Uint8Array, from: number, to: number): Positions {
    let current = positions;
    for (let i = from; i < to && current.length > 0; i++)
      current = this.#advanceByte(current, text[i] as number);
    return current;
  }

  #advanceByte(positions: Positions, byte: number): Positions {
    const next: number[] = [];
    this.#nextStep();
    for (const position of positions) {
      const token = this.#tokens[position];
      if (token === undefined) continue; // the pattern's end: nothing may follow
      if (token.kind === "byte") {
        if (token.byte === byte) this.#reach(position + 1, next);
      } else if (token.kind === "set") {
        if (token.bytes[byte]) this.#reach(position + 1, next);
      } else if (token.kind === "within") {
        if (byte !== SLASH) this.#reach(position, next);
      } else if (token.kind === "across") this.#reach(position, next);
    }
    return next.length > 1 ? next.sort(ascending) : next;
  }

  /** Notes a place, and those that are reached from it without reading anything. */
  #reach(position: number, into: number[]): void {
    if (this.#marks[position] === this.#step) return;
    this.#marks[position] = this.#step;
    const token = this.#tokens[position];
    if (token?.kind === "perhaps") {
      this.#reach(position + 1, into);
      this.#reach(position + 1 + token.tokens, into);
      return;
    }
    into.push(position);
    if (token?.kind === "within" || token?.kind === "across") this.#reach(position + 1, into);
  }

  #nextStep(): void {
    if (++this.#step < 0xffffffff) return;
    this.#marks.fill(0);
    this.#step = 1;
  }

  /** Whether the text read so far is a match. */
  isMatch(positions: Positions): boolean {
    return positions.at(-1) === this.#tokens.length;
  }

  /** Whether a text that goes on could match. */
  mayGoOn(positions: Positions): boolean {
    return positions.length > 1 || (positions.length === 1 && !this.isMatch(positions));
  }
}

const SLASH = 0x2f;

function ascending(a: number, b: number): number {
  return a - b;
}
