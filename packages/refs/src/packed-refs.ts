import { hexIdLength, type ObjectFormat, type ObjectId } from "@x/objects";
import { byteStringFromBytes } from "./byte-string.ts";
import { RefsError } from "./errors.ts";
import { isSafeRefName, isValidRefName } from "./ref-name.ts";
import type { Ref } from "./ref-store.ts";
import { compareNames, indexOfName, type SortedNames } from "./sorted-names.ts";

/*
 * [# pack-refs with: <trait> SP …  LF]
 * (<id> SP <name> LF  [^<peeled id> LF])*
 * Traits: "sorted" (byte order of names), "peeled" (tags below refs/tags/ have their ^ line),
 * "fully-peeled" (all tags have it). Without them, the absence of a ^ line says nothing.
 */

const HEADER = "# pack-refs with: ";

/** What a file's header promises. */
export interface PackedRefsTraits {
  readonly peeled: boolean;
  readonly fullyPeeled: boolean;
  readonly sorted: boolean;
}

/** What a {@link PackedRefs} was read from. */
interface PackedRefsOrigin {
  readonly format: ObjectFormat;
  readonly traits: PackedRefsTraits;
}

/** The refs of a file with no more are made once. */
const MAX_MADE = 1000;

/**
 * A packed-refs file in memory: its text and where each ref starts, in byte order of names. Refs are made when asked
 * for, so a million of them cost their text and four bytes each.
 */
export class PackedRefs implements SortedNames {
  readonly format: ObjectFormat;
  readonly traits: PackedRefsTraits;
  readonly #text: string;
  readonly #starts: Uint32Array;
  readonly #badStarts: readonly number[];
  /** Those that were asked for, where there are few in all. */
  readonly #made: Ref[] = [];

  /** @internal {@link parsePackedRefs} makes these. */
  constructor(text: string, starts: Uint32Array, badStarts: readonly number[], about: PackedRefsOrigin) {
    this.#text = text;
    this.#starts = starts;
    this.#badStarts = badStarts;
    this.format = about.format;
    this.traits = about.traits;
  }

  get length(): number {
    return this.#starts.length;
  }

  nameAt(index: number): string {
    return this.#name(this.#starts[index] as number);
  }

  /** Names in the file that are no ref names, in byte order. They count as not there, but survive a rewrite. */
  badNames(): string[] {
    return this.#badStarts.map((start) => this.#name(start)).sort(compareNames);
  }

  refAt(index: number): Ref {
    const made = this.#made[index];
    if (made !== undefined) return made;
    const ref = this.#refAt(index);
    if (this.length <= MAX_MADE) this.#made[index] = ref;
    return ref;
  }

  #refAt(index: number): Ref {
    const start = this.#starts[index] as number;
    const idLength = hexIdLength(this.format);
    const nameEnd = this.#text.indexOf("\n", start + idLength + 1);
    const name = this.#text.slice(start + idLength + 1, nameEnd);
    const ref: Ref = { name, target: { kind: "id", id: this.#id(start) } };
    if (this.#text.charCodeAt(nameEnd + 1) === 0x5e) return { ...ref, peeled: this.#id(nameEnd + 2) };
    const { fullyPeeled, peeled } = this.traits;
    return fullyPeeled || (peeled && name.startsWith("refs/tags/")) ? { ...ref, peeled: null } : ref;
  }

  get(name: string): Ref | undefined {
    const index = indexOfName(this, name);
    return index < 0 ? undefined : this.refAt(index);
  }

  has(name: string): boolean {
    return indexOfName(this, name) >= 0;
  }

  /** What the file says of each ref, bad names included, in byte order of names and less those in `except`. */
  *lines(except: ReadonlySet<string>): Generator<string> {
    const bad = this.#badStarts
      .map((start) => ({ name: this.#name(start), start }))
      .sort((a, b) => compareNames(b.name, a.name));
    for (const start of this.#starts) {
      const name = this.#name(start);
      for (let next = bad.at(-1); next !== undefined && next.name < name; next = bad.at(-1)) {
        yield this.#lines(next.start);
        bad.pop();
      }
      if (!except.has(name)) yield this.#lines(start);
    }
    for (const { start } of bad.reverse()) yield this.#lines(start);
  }

  #name(start: number): string {
    const nameAt = start + hexIdLength(this.format) + 1;
    return this.#text.slice(nameAt, this.#text.indexOf("\n", nameAt));
  }

  #lines(start: number): string {
    let end = this.#text.indexOf("\n", start) + 1;
    if (this.#text.charCodeAt(end) === 0x5e) end = this.#text.indexOf("\n", end) + 1;
    return this.#text.slice(start, end);
  }

  // Its digits were checked when the file was parsed; C git writes lower case but reads both.
  #id(start: number): ObjectId {
    const id = this.#text.slice(start, start + hexIdLength(this.format));
    return (/[A-F]/.test(id) ? id.toLowerCase() : id) as ObjectId;
  }
}

/** What an absent packed-refs file means. */
export function emptyPackedRefs(format: ObjectFormat): PackedRefs {
  const traits = { peeled: true, fullyPeeled: true, sorted: true };
  return new PackedRefs("", new Uint32Array(0), [], { format, traits });
}

/**
 * Reads a whole packed-refs file. Spec: git-pack-refs; the comment above.
 * @throws RefsError `refs/malformed`
 */
export function parsePackedRefs(file: Uint8Array, format: ObjectFormat): PackedRefs {
  const steps = parsePackedRefsInSteps(file, format);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Lines read between two steps of {@link parsePackedRefsInSteps}: about ten milliseconds. */
const LINES_PER_STEP = 32_768;

/**
 * {@link parsePackedRefs} with a pause now and then, for a caller that has to let others run.
 * @throws RefsError `refs/malformed`
 */
export function* parsePackedRefsInSteps(
  file: Uint8Array,
  format: ObjectFormat,
): Generator<undefined, PackedRefs> {
  const text = byteStringFromBytes(file);
  const idLength = hexIdLength(format);
  const bodyAt = text.startsWith("#") ? text.indexOf("\n") + 1 : 0;
  // Git gives up at any other comment too.
  if (text.startsWith("#") && (bodyAt === 0 || !text.startsWith(HEADER))) throw malformed(0);
  const traits = parseTraits(text.slice(0, bodyAt));
  // A line has an id, a blank, a name and its end: the file's own length bounds the table.
  let starts = new Uint32Array(Math.min(Math.ceil(text.length / (idLength + 3)), 1024));
  let count = 0;
  let sorted = true;
  let previous = "";
  let mayPeel = false;
  const badStarts: number[] = [];
  for (let at = bodyAt, lines = 0; at < text.length; lines++) {
    if (lines % LINES_PER_STEP === LINES_PER_STEP - 1) yield;
    const end = text.indexOf("\n", at);
    if (end < 0) throw malformed(at);
    if (text.charCodeAt(at) === 0x5e) {
      if (!mayPeel || end !== at + 1 + idLength || !isHex(text, at + 1, end)) throw malformed(at);
      mayPeel = false;
    } else {
      const nameAt = at + idLength + 1;
      if (end <= nameAt || !isBlank(text.charCodeAt(nameAt - 1)) || !isHex(text, at, nameAt - 1))
        throw malformed(at);
      const name = text.slice(nameAt, end);
      if (name.startsWith("refs/") && isValidRefName(name)) {
        if (count === starts.length) starts = grown(starts, count * 2);
        starts[count++] = at;
        sorted &&= previous < name;
        previous = name;
      } else if (isValidRefName(name, { oneLevel: true }) || isSafeRefName(name)) badStarts.push(at);
      else throw new RefsError("refs/malformed", `packed refname is dangerous: ${name.slice(0, 256)}`);
      mayPeel = true;
    }
    at = end + 1;
  }
  starts = starts.slice(0, count);
  const about = { format, traits };
  const refs = new PackedRefs(text, starts, badStarts, about);
  return sorted ? refs : new PackedRefs(text, sortedStarts(refs, starts), badStarts, about);
}

function parseTraits(header: string): PackedRefsTraits {
  const words = header.startsWith(HEADER) ? header.slice(HEADER.length).trim().split(" ") : [];
  const fullyPeeled = words.includes("fully-peeled");
  return { fullyPeeled, peeled: fullyPeeled || words.includes("peeled"), sorted: words.includes("sorted") };
}

function malformed(at: number): RefsError {
  return new RefsError("refs/malformed", `unexpected line in packed-refs at byte ${at}`);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d;
}

function isHex(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46)))
      return false;
  }
  return true;
}

function grown(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}

/** Files without `sorted`, which old gits wrote, and files that lie about it. Of two lines for one name, the first counts. */
function sortedStarts(refs: PackedRefs, starts: Uint32Array): Uint32Array {
  const names = Array.from(starts, (_, index) => refs.nameAt(index));
  const order = names
    .map((_, index) => index)
    .sort((a, b) => compareNames(names[a] as string, names[b] as string));
  const distinct = order.filter((index, at) => at === 0 || names[index] !== names[order[at - 1] as number]);
  return Uint32Array.from(distinct, (index) => starts[index] as number);
}
