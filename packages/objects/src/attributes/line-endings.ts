import type { AttributeState } from "./attribute-file.ts";

/** What settings say of line endings. */
export interface LineEndingSettings {
  /** Spec: git-config, `core.autocrlf`. */
  readonly autocrlf: "false" | "true" | "input";
  /** Spec: git-config, `core.eol`. */
  readonly eol: "lf" | "crlf";
}

/** How line endings of a file relate to those of its blob. */
export interface LineEndings {
  /** Whether the file's lines end in LF or CR LF; `asIs`: nothing is changed in either direction. */
  readonly file: "asIs" | "lf" | "crlf";
  /** Only if it looks like text. */
  readonly guess: boolean;
}

/** Spec: gitattributes, `text`, `eol`, "Backwards compatibility with `crlf` attribute"; git-config, `core.autocrlf`, `core.eol`. */
export function lineEndingsOf(
  attributes: ReadonlyMap<string, AttributeState>,
  { autocrlf, eol }: LineEndingSettings,
): LineEndings {
  const configured = autocrlf === "true" ? "crlf" : autocrlf === "input" ? "lf" : eol;
  const text = known(attributes.get("text")) ?? known(attributes.get("crlf"));
  if (text === false) return { file: "asIs", guess: false };
  const wanted = attributes.get("eol");
  const ending = wanted === "lf" || wanted === "crlf" ? wanted : text === "input" ? "lf" : undefined;
  const guess = text === "auto";
  if (text !== undefined || ending !== undefined) return { file: ending ?? configured, guess };
  return autocrlf === "false" ? { file: "asIs", guess: false } : { file: configured, guess: true };
}

/** Other texts mean as little as none. */
function known(state: AttributeState): true | false | "auto" | "input" | undefined {
  return state === true || state === false || state === "auto" || state === "input" ? state : undefined;
}

const CR = 0x0d;
const LF = 0x0a;

/** The content of a file that is made of a blob. */
export function toFile(blob: Uint8Array, { file, guess }: LineEndings): Uint8Array {
  if (file !== "crlf") return blob;
  const stats = countEndings(blob);
  if (stats.lf === 0) return blob;
  if (guess && (stats.cr > 0 || stats.crlf > 0 || looksBinary(blob, stats))) return blob;
  const bytes = new Uint8Array(blob.length + stats.lf);
  let at = 0;
  for (let i = 0; i < blob.length; i++) {
    const byte = blob[i] as number;
    if (byte === LF && blob[i - 1] !== CR) bytes[at++] = CR;
    bytes[at++] = byte;
  }
  return bytes;
}

/**
 * The blob that a file is to be taken for. `oldBlob` is what the index has of it: where CR LF is in there already, a guess
 * leaves it alone.
 */
export function toBlob(file: Uint8Array, endings: LineEndings, oldBlob: () => Uint8Array): Uint8Array {
  if (endings.file === "asIs") return file;
  const stats = countEndings(file);
  if (stats.crlf === 0) return file;
  if (endings.guess) {
    if (looksBinary(file, stats)) return file;
    const old = oldBlob();
    const oldStats = countEndings(old);
    if (oldStats.crlf > 0 && !looksBinary(old, oldStats)) return file;
  }
  return file.filter((byte, i) => byte !== CR || file[i + 1] !== LF);
}

interface Endings {
  readonly cr: number;
  readonly lf: number;
  readonly crlf: number;
}

function countEndings(bytes: Uint8Array): Endings {
  let cr = 0;
  let lf = 0;
  let crlf = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === LF) lf++;
    else if (byte === CR) {
      if (bytes[i + 1] === LF) {
        crlf++;
        i++;
      } else cr++;
    }
  }
  return { cr, lf, crlf };
}

/** A CR or NUL, or more than one in 128 that does not print. */
function looksBinary(bytes: Uint8Array, { cr }: Endings): boolean {
  if (cr > 0) return true;
  let printable = 0;
  let other = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte === CR || byte === LF) continue;
    if (byte === 0) return true;
    if (byte === 127) other++;
    else if (byte >= 32 || byte === 8 || byte === 9 || byte === 12 || byte === 27) printable++;
    else if (byte !== 26 || i !== bytes.length - 1) other++;
  }
  return Math.floor(printable / 128) < other;
}
