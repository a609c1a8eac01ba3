/*
 * entry:  local header | name | extra fields | data | data descriptor (streamed entries)
 * file:   entries | central directory: one record each | zip64 end record and locator, if needed | end record | comment
 * Numbers are little-endian.
 * Spec: PKWARE APPNOTE.TXT 4.3; Info-ZIP, "Extended Timestamp".
 */

/** Writes numbers of given widths one after the other. */
class Record {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(...values: readonly number[]): this {
    for (const value of values) {
      this.#view.setUint16(this.#at, value & 0xffff, true);
      this.#at += 2;
    }
    return this;
  }

  u32(...values: readonly number[]): this {
    for (const value of values) {
      this.#view.setUint32(this.#at, value % 0x1_0000_0000, true);
      this.#at += 4;
    }
    return this;
  }

  u64(...values: readonly number[]): this {
    for (const value of values) this.u32(value % 0x1_0000_0000, Math.floor(value / 0x1_0000_0000));
    return this;
  }

  u8(value: number): this {
    this.bytes[this.#at++] = value;
    return this;
  }

  put(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }
}

export const MAX_U32 = 0xffff_ffff;

/** What the local header and the directory tell of an entry. */
export interface ZipEntry {
  readonly name: Uint8Array;
  readonly creatorVersion: number;
  readonly versionNeeded: 10 | 45;
  readonly flags: number;
  /** 0 as it is, 8 deflated. */
  readonly method: 0 | 8;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
  readonly isText: boolean;
  /** The file's mode and kind, as its creator's system has it. */
  readonly externalAttributes: number;
  /** Where the local header is. */
  readonly offset: number;
}

/** The time of all entries, in the two forms that each entry has it in. */
export interface ZipTime {
  readonly dosTime: number;
  readonly dosDate: number;
  /** Unit: seconds since 1970. */
  readonly unix: number;
}

/** Spec: APPNOTE 4.4.6, in local time. @param time in seconds since 1970 */
export function zipTime(time: number): ZipTime {
  const date = new Date(time * 1000);
  return {
    dosTime: (date.getSeconds() >> 1) + date.getMinutes() * 32 + date.getHours() * 2048,
    dosDate: date.getDate() + (date.getMonth() + 1) * 32 + (date.getFullYear() - 1980) * 512,
    unix: time,
  };
}

const TIME_EXTRA = 9;

function putTimeExtra(record: Record, time: ZipTime): Record {
  return record.u16(0x5455, 5).u8(1).u32(time.unix);
}

/** The local header with its name. With `zip64` both sizes are in an extra field. */
export function encodeLocalHeader(entry: ZipEntry, time: ZipTime, zip64: boolean): Uint8Array {
  const { name, size, compressedSize } = entry;
  const extra = TIME_EXTRA + (zip64 ? 20 : 0);
  const record = new Record(30 + name.length + extra);
  record.u32(0x04034b50).u16(entry.versionNeeded, entry.flags, entry.method, time.dosTime, time.dosDate);
  record.u32(entry.crc, zip64 ? MAX_U32 : compressedSize, zip64 ? MAX_U32 : size);
  putTimeExtra(record.u16(name.length, extra).put(name), time);
  if (zip64) record.u16(1, 16).u64(size, compressedSize);
  return record.bytes;
}

/** What follows the data of a streamed entry. */
export function encodeDescriptor({ crc, size, compressedSize }: ZipEntry): Uint8Array {
  const is64 = size >= MAX_U32 || compressedSize >= MAX_U32;
  const record = new Record(is64 ? 24 : 16).u32(0x08074b50, crc);
  return (is64 ? record.u64(compressedSize, size) : record.u32(compressedSize, size)).bytes;
}

/** An entry's record in the directory. */
export function encodeDirectoryRecord(entry: ZipEntry, time: ZipTime): Uint8Array {
  const { name, size, compressedSize, offset } = entry;
  // Where one of the three is above what 32 bits hold, those that are no smaller than that move out.
  const isLarge = size > MAX_U32 || compressedSize > MAX_U32 || offset > MAX_U32;
  const large = isLarge ? [size, compressedSize, offset].filter((value) => value >= MAX_U32) : [];
  const extra = TIME_EXTRA + (large.length > 0 ? 4 + 8 * large.length : 0);
  const clamp = (value: number) => Math.min(value, MAX_U32);
  const record = new Record(46 + name.length + extra);
  record.u32(0x02014b50).u16(entry.creatorVersion, entry.versionNeeded, entry.flags, entry.method);
  record.u16(time.dosTime, time.dosDate).u32(entry.crc, clamp(compressedSize), clamp(size));
  record.u16(name.length, extra, 0, 0, entry.isText ? 1 : 0);
  record.u32(entry.externalAttributes, clamp(offset)).put(name);
  putTimeExtra(record, time);
  if (large.length > 0) record.u16(1, 8 * large.length).u64(...large);
  return record.bytes;
}

/** What the file ends with. */
export interface ZipEnd {
  readonly entries: number;
  /** Unit: bytes. */
  readonly directorySize: number;
  /** Where the directory starts. */
  readonly offset: number;
  readonly creatorVersion: number;
  readonly comment: Uint8Array;
}

/** The records behind the directory. */
export function encodeZipEnd(end: ZipEnd): readonly Uint8Array[] {
  const { entries, directorySize, offset, comment } = end;
  const records: Uint8Array[] = [];
  if (entries > 0xffff || offset > MAX_U32) {
    records.push(
      new Record(56)
        .u32(0x06064b50)
        .u64(44)
        .u16(end.creatorVersion, 45)
        .u32(0, 0)
        .u64(entries, entries, directorySize, offset).bytes,
      new Record(20)
        .u32(0x07064b50, 0)
        .u64(offset + directorySize)
        .u32(1).bytes,
    );
  }
  const some = Math.min(entries, 0xffff);
  records.push(
    new Record(22 + comment.length)
      .u32(0x06054b50)
      .u16(0, 0, some, some)
      .u32(directorySize, Math.min(offset, MAX_U32))
      .u16(comment.length)
      .put(comment).bytes,
  );
  return records;
}
