/** A byte text cut into characters, for columns. What is no UTF-8 has each byte for a character. */
export interface Column {
  readonly bytes: string;
  readonly width: 0 | 1 | 2;
}

/** Cuts a text with one character for each byte into what stands in columns of a terminal. */
export function columnsOf(text: string): Column[] {
  let decoded: string;
  try {
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    decoded = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(text, (bytes) => ({ bytes, width: 1 }));
  }
  const encoder = new TextEncoder();
  return Array.from(decoded, (char) => ({
    bytes: String.fromCharCode(...encoder.encode(char)),
    width: /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u.test(char) ? 0 : WIDE.test(char) ? 2 : 1,
  }));
}

/** Spec: Unicode, UAX #11, the ranges of wide and full-width characters. */
const WIDE =
  /[\u1100-\u115f\u231a-\u231b\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** Unit: columns. */
export function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0);
}

/** The text with the columns from `at` on, as many as `count`, replaced by `with`. */
export function replaceColumns(columns: readonly Column[], at: number, count: number, by: string): string {
  let text = "";
  let column = 0;
  let replaced = false;
  for (const { bytes, width } of columns) {
    if (width > 0 && column >= at && column < at + count) {
      if (!replaced) text += by;
      replaced = true;
    } else if (width > 0 || !replaced || column >= at + count) text += bytes;
    column += width;
  }
  return text;
}
