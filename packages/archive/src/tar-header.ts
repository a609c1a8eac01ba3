import { toBytes } from "./byte-text.ts";

/*
 * ustar header, texts NUL-padded, numbers in octal ASCII:
 * name 100 | mode 8 | uid 8 | gid 8 | size 12 | mtime 12 | checksum 8 | type 1 | linkname 100 |
 * magic "ustar\0" | version "00" | uname 32 | gname 32 | devmajor 8 | devminor 8 | prefix 155 | zeros 12
 * Spec: POSIX pax, "ustar Interchange Format".
 */

/** Records of a tar file are multiples of this. Unit: bytes. */
export const TAR_RECORD = 512;

/** What the header's number of bytes, and its time, can say. */
export const USTAR_MAX = 0o77777777777;

export const MAX_NAME = 100;
const MAX_PREFIX = 155;

/** What differs from header to header. */
export interface TarHeader {
  readonly name: string;
  readonly prefix?: string;
  /** The permissions, in the low 12 bits. */
  readonly mode: number;
  /** Unit: bytes. */
  readonly size: number;
  /** Unit: seconds since 1970. */
  readonly time: number;
  /** `0` file, `2` symlink, `5` directory, `x` and `g` extended headers. */
  readonly type: "0" | "2" | "5" | "g" | "x";
  readonly link?: string;
}

/** The header's record. */
export function encodeTarHeader(header: TarHeader): Uint8Array {
  const record = new Uint8Array(TAR_RECORD);
  const put = (at: number, text: string) => {
    for (let i = 0; i < text.length; i++) record[at + i] = text.charCodeAt(i);
  };
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  put(0, header.name);
  put(100, octal(header.mode & 0o7777, 7));
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(header.size, 11));
  put(136, octal(header.time, 11));
  put(148, "        ");
  put(156, header.type);
  put(157, header.link ?? "");
  put(257, "ustar");
  put(263, "00");
  put(265, "root");
  put(297, "root");
  put(329, "0000000");
  put(337, "0000000");
  put(345, header.prefix ?? "");
  let sum = 0;
  for (const byte of record) sum += byte;
  put(148, `${octal(sum, 7)}\0`);
  return record;
}

/** One record of an extended header; its length counts itself. Spec: POSIX pax, "pax Extended Header". */
export function paxRecord(keyword: string, value: string): Uint8Array {
  const rest = ` ${keyword}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return toBytes(length + rest);
}

/**
 * Where a long name is cut into the header's two parts, of which the slash between them is in neither.
 * @returns `undefined` when it fits in no way
 */
export function splitName(path: string): { readonly prefix: string; readonly name: string } | undefined {
  let at = path.length;
  if (at > 1 && path[at - 1] === "/") at--;
  at = Math.min(at, MAX_PREFIX);
  do at--;
  while (at > 0 && path[at] !== "/");
  if (at <= 0 || path.length - at - 1 > MAX_NAME) return undefined;
  return { prefix: path.slice(0, at), name: path.slice(at + 1) };
}
