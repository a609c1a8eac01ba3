/** What a `Range` header asks of a file: a part of it, all of it, or nothing that it has. `end` is behind the last byte. */
export type ByteRange =
  | { readonly kind: "part"; readonly start: number; readonly end: number }
  | { readonly kind: "all" | "none" };

/** No more digits can be a position in a file. */
const POSITION = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/i;

/**
 * Reads it. Several ranges, other units and what makes no sense are passed over, as a server may.
 * @param size of the file. Unit: bytes
 * Spec: RFC 9110, section 14.2.
 */
export function parseRange(header: string | undefined, size: number): ByteRange {
  const [, first, last] = POSITION.exec(header?.trim() ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return { kind: "all" };
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? { kind: "none" } : { kind: "part", start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return { kind: "all" };
  if (start >= size) return { kind: "none" };
  return { kind: "part", start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}
