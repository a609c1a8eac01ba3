import { columnsOf, replaceColumns, widthOf } from "./width.ts";

/** Wider than this nothing is padded. As in C git. Unit: columns. */
export const MAX_PADDING: number = 16 * 1024;

/** How the next placeholder is to be padded or cut. */
export interface Padding {
  readonly side: "left" | "right" | "both" | "steal";
  /** Unit: columns, from the line's start when {@link toColumn}. */
  readonly width: number;
  readonly toColumn: boolean;
  readonly cut: "none" | "right" | "left" | "middle";
}

const CUTS: ReadonlyMap<string | undefined, Padding["cut"]> = new Map([
  [undefined, "none"],
  ["trunc", "right"],
  ["ltrunc", "left"],
  ["mtrunc", "middle"],
]);

/** Reads `<(n,trunc)` and its like, at the start of `text`. @returns `undefined` when it is none */
export function parsePadding(
  text: string,
): { readonly padding: Padding; readonly length: number } | undefined {
  const match = /^(<|><|>>|>)(\|?)\( *([-+]?[0-9]{1,9})[^,)]*(?:,([^)]*))?\)/.exec(text);
  if (match === null) return undefined;
  const [whole, sign, bar, digits, word] = match;
  const width = Number(digits);
  const cut = CUTS.get(word);
  if (cut === undefined || width === 0 || Math.abs(width) > MAX_PADDING) return undefined;
  // Counted from the right end of a terminal, of which there is none: git takes 80 columns.
  const columns = width < 0 && bar === "|" ? width + 80 : width;
  if (columns < 0) return undefined;
  const side = sign === "<" ? "right" : sign === ">" ? "left" : sign === "><" ? "both" : "steal";
  return { padding: { side, width: columns, toColumn: bar === "|", cut }, length: whole.length };
}

/** Puts `text` behind `before`, padded. */
export function pad(before: string, text: string, padding: Padding): string {
  const columns = columnsOf(text);
  const width = widthOf(columns);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  let room = padding.toColumn ? padding.width - widthOf(columnsOf(line)) : padding.width;
  let head = before;
  if (padding.side === "steal")
    while (width > room && head.length > 1 && head.endsWith(" ")) {
      head = head.slice(0, -1);
      room++;
    }
  if (width > room) {
    if (padding.cut === "none") return head + text;
    const gone = width - (room - 2);
    const at = padding.cut === "left" ? 0 : padding.cut === "right" ? room - 2 : Math.trunc(room / 2) - 1;
    return head + replaceColumns(columns, Math.max(at, 0), gone, "..");
  }
  const blanks = room - width;
  const left = padding.side === "right" ? 0 : padding.side === "both" ? Math.floor(blanks / 2) : blanks;
  return head + " ".repeat(left) + text + " ".repeat(blanks - left);
}
