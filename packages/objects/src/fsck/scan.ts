/*
 * Reading lines of `bytes[at … end)` where they lie. What stands behind `end` belongs to somebody else.
 */

const LF = 0x0a;

/** Whether `text`, which is ASCII, stands at `at`. */
export function startsWith(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (at + text.length > end) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Where the next line starts; `end` when there is none. */
export function nextLine(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== LF) i++;
  return Math.min(i + 1, end);
}

const HEX_DIGIT: Uint8Array = new Uint8Array(256);
for (const digit of "0123456789abcdefABCDEF") HEX_DIGIT[digit.charCodeAt(0)] = 1;

/** Whether `length` hex digits and a line feed stand at `at`. */
export function isIdLine(bytes: Uint8Array, at: number, end: number, length: number): boolean {
  const lineEnd = at + length;
  if (lineEnd >= end || bytes[lineEnd] !== LF) return false;
  for (let i = at; i < lineEnd; i++) if (HEX_DIGIT[bytes[i] as number] === 0) return false;
  return true;
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** The bytes as text, one character for each. */
export function textOf(bytes: Uint8Array, at: number, end: number): string {
  let text = "";
  for (let i = at; i < end; i += CHUNK)
    text += String.fromCharCode(...bytes.subarray(i, Math.min(end, i + CHUNK)));
  return text;
}
const CHUNK = 4096;
