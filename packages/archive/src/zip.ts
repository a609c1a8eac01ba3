import { type ArchiveRequest, crc32 } from "@x/objects";
import { isAscii, isUtf8, toBytes } from "./byte-text.ts";
import { Deflater } from "./deflater.ts";
import { ArchiveError } from "./errors.ts";
import type { Output } from "./output.ts";
import { type ArchiveEntry, type Archiver, type Content, contentSize, piecesOf } from "./sink.ts";
import {
  encodeDescriptor,
  encodeDirectoryRecord,
  encodeLocalHeader,
  encodeZipEnd,
  MAX_U32,
  type ZipEntry,
  type ZipTime,
  zipTime,
} from "./zip-records.ts";

const STREAMED = 1 << 3;
const UTF8 = 1 << 11;

/** Made on a Unix system: the attributes hold a mode. */
const UNIX = 0x0317;

/** Content is looked at, and read, in pieces of this; the first of a streamed one tells whether it is text. Unit: bytes. */
const PIECE_BYTES = 16_384;

/** Deflated content is kept up to here; more is deflated a second time when it is written. Unit: bytes. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** The directory is held until the end. Unit: bytes. */
const MAX_DIRECTORY_BYTES = 256 * 1024 * 1024;

/** Directory records are gathered in pieces of this. Unit: bytes. */
const DIRECTORY_PIECE = 64 * 1024;

/** Whether content is binary, for all that the entry's attributes and settings say; `undefined`: its bytes decide. */
export type IsBinary = (entry: ArchiveEntry) => boolean | undefined;

/** Writes zip files as git does. Spec: git-archive, "zip"; PKWARE APPNOTE.TXT. */
export class ZipArchiver implements Archiver {
  readonly #request: Pick<ArchiveRequest, "commit" | "level">;
  readonly #output: Output;
  readonly #isBinary: IsBinary;
  readonly #time: ZipTime;
  readonly #deflater: Deflater;
  readonly #directory: Uint8Array[] = [];
  #directoryFilled = DIRECTORY_PIECE;
  #directorySize = 0;
  #entries = 0;
  #creatorVersion = 0;

  constructor(
    request: Pick<ArchiveRequest, "commit" | "level" | "time">,
    output: Output,
    isBinary: IsBinary,
  ) {
    this.#request = request;
    this.#output = output;
    this.#isBinary = isBinary;
    this.#time = zipTime(request.time);
    this.#deflater = new Deflater(request.level, "raw");
  }

  start(): void {}

  *add(entry: ArchiveEntry): Generator<void, void> {
    const { path, content, mode } = entry;
    if (path.length > 0xffff)
      throw new ArchiveError(
        "archive/unsupported",
        `path too long (${path.length} chars, SHA1: ${entry.id}): ${path.slice(0, 200)}...`,
      );
    const kind = mode & 0o170000;
    if (content !== undefined && kind !== 0o100000 && kind !== 0o120000)
      throw new ArchiveError(
        "archive/unsupported",
        `unsupported file mode: 0${mode.toString(8)} (SHA1: ${entry.id})`,
      );
    const ascii = isAscii(path);
    const isText = ascii || isUtf8(path);
    if (!isText) this.#output.say(`warning: path is not valid UTF-8: ${path}\n`);
    const isSymlink = kind === 0o120000;
    const isFile = content !== undefined;
    const isUnix = isFile && (isSymlink || (mode & 0o111) !== 0);
    const base = {
      name: toBytes(path),
      creatorVersion: isUnix ? UNIX : 0,
      flags: !ascii && isText ? UTF8 : 0,
      externalAttributes: isFile ? (isUnix ? (isSymlink ? mode | 0o777 : mode) * 0x1_0000 : 0) : 16,
      offset: this.#output.written,
    };
    if (content === undefined)
      this.#file({
        ...base,
        versionNeeded: 10,
        method: 0,
        crc: 0,
        size: 0,
        compressedSize: 0,
        isText: false,
      });
    else {
      const mayDeflate = !isSymlink && this.#request.level !== 0 && contentSize(content) > 0;
      if (entry.isBig) yield* this.#addBig(entry, content, base, mayDeflate);
      else yield* this.#addMeasured(entry, content, base, mayDeflate);
    }
    this.#creatorVersion = Math.max(this.#creatorVersion, base.creatorVersion);
  }

  /** Everything is known before the header is written. */
  *#addMeasured(
    entry: ArchiveEntry,
    content: Content,
    base: Pick<ZipEntry, "name" | "creatorVersion" | "flags" | "externalAttributes" | "offset">,
    mayDeflate: boolean,
  ): Generator<void, void> {
    const size = contentSize(content);
    let crc = 0;
    let binary = this.#isBinary(entry);
    let deflated = 0;
    let kept: Uint8Array[] | undefined = [];
    const keep = (piece: Uint8Array) => {
      deflated += piece.length;
      if (deflated > KEPT_BYTES) kept = undefined;
      kept?.push(piece.slice());
    };
    if (mayDeflate) this.#deflater.reset();
    for (const bytes of wholeOrPieces(content)) {
      binary ??= looksBinary(bytes);
      crc = crc32(bytes, crc);
      if (!mayDeflate) continue;
      for (const piece of content.kind === "bytes"
        ? this.#deflater.end(bytes)
        : this.#deflater.write(bytes)) {
        keep(piece);
        if (size > PIECE_BYTES) yield;
      }
    }
    if (mayDeflate && content.kind === "stream") for (const piece of this.#deflater.end()) keep(piece);
    const isDeflated = mayDeflate && deflated < size;
    const compressedSize = isDeflated ? deflated : size;
    const versionNeeded = size > MAX_U32 || compressedSize > MAX_U32 ? 45 : 10;
    this.#file({
      ...base,
      versionNeeded,
      method: isDeflated ? 8 : 0,
      crc,
      size,
      compressedSize,
      isText: binary === false,
    });
    if (isDeflated && kept !== undefined) for (const piece of kept) this.#output.write(piece);
    else if (isDeflated) yield* this.#deflate(content, () => {});
    else
      for (const piece of piecesOf(content, 65_536)) {
        this.#output.write(piece);
        if (size > PIECE_BYTES) yield;
      }
  }

  /** The header is written first, the sums behind the data. */
  *#addBig(
    entry: ArchiveEntry,
    content: Content,
    base: Pick<ZipEntry, "name" | "creatorVersion" | "flags" | "externalAttributes" | "offset">,
    mayDeflate: boolean,
  ): Generator<void, void> {
    const size = contentSize(content);
    const start = {
      ...base,
      flags: base.flags | STREAMED,
      versionNeeded: size > 0x7fff_ffff ? (45 as const) : (10 as const),
      method: mayDeflate ? (8 as const) : (0 as const),
      crc: 0,
      size,
      compressedSize: mayDeflate ? 0 : size,
      isText: false,
    };
    this.#output.write(encodeLocalHeader(start, this.#time, start.versionNeeded === 45));
    let binary = this.#isBinary(entry);
    let crc = 0;
    const look = (piece: Uint8Array) => {
      binary ??= looksBinary(piece);
      crc = crc32(piece, crc);
    };
    const before = this.#output.written;
    if (mayDeflate) yield* this.#deflate(content, look);
    else
      for (const piece of piecesOf(content, PIECE_BYTES)) {
        look(piece);
        this.#output.write(piece);
        yield;
      }
    const compressedSize = this.#output.written - before;
    const done: ZipEntry = { ...start, crc, compressedSize, isText: binary === false };
    this.#output.write(encodeDescriptor(done));
    this.#list(done);
  }

  *#deflate(content: Content, look: (piece: Uint8Array) => void): Generator<void, void> {
    this.#deflater.reset();
    for (const piece of piecesOf(content, PIECE_BYTES)) {
      look(piece);
      for (const out of this.#deflater.write(piece)) this.#output.write(out);
      yield;
    }
    for (const out of this.#deflater.end()) this.#output.write(out);
  }

  #file(entry: ZipEntry): void {
    this.#output.write(encodeLocalHeader(entry, this.#time, entry.versionNeeded === 45));
    this.#list(entry);
  }

  /** Puts an entry into the directory, which is written at the end. */
  #list(entry: ZipEntry): void {
    const record = encodeDirectoryRecord(entry, this.#time);
    if (this.#directoryFilled + record.length > DIRECTORY_PIECE) {
      this.#closePiece();
      this.#directory.push(new Uint8Array(Math.max(DIRECTORY_PIECE, record.length)));
      this.#directoryFilled = 0;
    }
    (this.#directory.at(-1) as Uint8Array).set(record, this.#directoryFilled);
    this.#directoryFilled += record.length;
    this.#directorySize += record.length;
    if (this.#directorySize > MAX_DIRECTORY_BYTES)
      throw new ArchiveError(
        "archive/limit-exceeded",
        `the directory of the zip file exceeds ${MAX_DIRECTORY_BYTES} bytes`,
      );
    this.#entries++;
  }

  #closePiece(): void {
    const last = this.#directory.pop();
    if (last !== undefined) this.#directory.push(last.subarray(0, this.#directoryFilled));
  }

  *end(): Generator<void, void> {
    const offset = this.#output.written;
    this.#closePiece();
    for (const piece of this.#directory) {
      this.#output.write(piece);
      yield;
    }
    for (const record of encodeZipEnd({
      entries: this.#entries,
      directorySize: this.#directorySize,
      offset,
      creatorVersion: this.#creatorVersion,
      comment: toBytes(this.#request.commit ?? ""),
    }))
      this.#output.write(record);
  }
}

function wholeOrPieces(content: Content): Iterable<Uint8Array> {
  return content.kind === "bytes" ? [content.bytes] : piecesOf(content, PIECE_BYTES);
}

/** A NUL among the first bytes. Spec: gitattributes, `diff`. */
function looksBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 8000).includes(0);
}
