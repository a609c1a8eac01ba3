import type { ArchiveRequest } from "@x/objects";
import { fromBytes } from "./byte-text.ts";
import { ArchiveError } from "./errors.ts";
import type { ArchiveEntry, Archiver } from "./sink.ts";
import { contentSize, piecesOf } from "./sink.ts";
import { encodeTarHeader, MAX_NAME, paxRecord, splitName, TAR_RECORD, USTAR_MAX } from "./tar-header.ts";

/** Tar files are multiples of this. Unit: bytes. */
export const TAR_BLOCK: number = 20 * TAR_RECORD;

/** Large contents are written in pieces of this. Unit: bytes. */
const PIECE_BYTES = 64 * 1024;

/** Where a tar file goes. */
export interface TarSink {
  write(bytes: Uint8Array): void;
  writeZeros(count: number): void;
}

/** Writes tar files as git does: ustar, with pax headers where that is too small. Spec: git-archive, "tar". */
export class TarArchiver implements Archiver {
  readonly #sink: TarSink;
  readonly #request: Pick<ArchiveRequest, "commit">;
  readonly #mask: number;
  #time: number;
  #written = 0;

  constructor(request: Pick<ArchiveRequest, "commit" | "time">, umask: number, sink: TarSink) {
    this.#request = request;
    this.#mask = ~umask;
    this.#time = request.time;
    this.#sink = sink;
  }

  start(): void {
    const records: Uint8Array[] = [];
    if (this.#request.commit !== undefined) records.push(paxRecord("comment", this.#request.commit));
    if (this.#time > USTAR_MAX) {
      records.push(paxRecord("mtime", String(this.#time)));
      this.#time = USTAR_MAX;
    }
    if (records.length > 0) this.#extend("pax_global_header", "g", records);
  }

  *add(entry: ArchiveEntry): Generator<void, void> {
    const { mode, content } = entry;
    const type = tarType(entry);
    const records: Uint8Array[] = [];
    let name = entry.path;
    let prefix = "";
    if (name.length > MAX_NAME) {
      const parts = splitName(name);
      if (parts === undefined) {
        records.push(paxRecord("path", name));
        name = `${entry.id}.data`.slice(0, MAX_NAME);
      } else ({ prefix, name } = parts);
    }
    let link = "";
    if (type === "2") {
      link = content?.kind === "bytes" ? fromBytes(content.bytes) : "";
      if (link.length > MAX_NAME) {
        records.push(paxRecord("linkpath", link));
        link = `see ${entry.id}.paxheader`;
      }
    }
    const size = type === "0" ? contentSize(content) : 0;
    if (size > USTAR_MAX) records.push(paxRecord("size", String(size)));
    if (records.length > 0) this.#extend(`${entry.id}.paxheader`, "x", records);
    this.#write(
      encodeTarHeader({
        name,
        prefix,
        mode: this.#modeOf(type, mode),
        size: size > USTAR_MAX ? 0 : size,
        time: this.#time,
        type,
        link,
      }),
    );
    if (type !== "0" || content === undefined || size === 0) return;
    for (const piece of piecesOf(content, PIECE_BYTES)) {
      this.#write(piece);
      if (size > PIECE_BYTES) yield;
    }
    this.#pad();
  }

  *end(): Generator<void, void> {
    const tail = TAR_BLOCK - (this.#written % TAR_BLOCK);
    this.#zeros(tail < 2 * TAR_RECORD ? tail + TAR_BLOCK : tail);
    yield;
  }

  #modeOf(type: "0" | "2" | "5", mode: number): number {
    const mask = this.#mask;
    if (type === "5") return 0o777 & mask;
    if (type === "2") return 0o777;
    return (mode | (mode & 0o100 ? 0o777 : 0o666)) & mask;
  }

  #extend(name: string, type: "g" | "x", records: readonly Uint8Array[]): void {
    const size = records.reduce((sum, record) => sum + record.length, 0);
    this.#write(
      encodeTarHeader({ name: name.slice(0, MAX_NAME), mode: 0o666, size, time: this.#time, type }),
    );
    for (const record of records) this.#write(record);
    this.#pad();
  }

  #write(bytes: Uint8Array): void {
    this.#written += bytes.length;
    this.#sink.write(bytes);
  }

  #zeros(count: number): void {
    this.#written += count;
    this.#sink.writeZeros(count);
  }

  #pad(): void {
    const tail = this.#written % TAR_RECORD;
    if (tail > 0) this.#zeros(TAR_RECORD - tail);
  }
}

function tarType({ mode, id }: ArchiveEntry): "0" | "2" | "5" {
  switch (mode & 0o170000) {
    case 0o040000:
    case 0o160000:
      return "5";
    case 0o120000:
      return "2";
    case 0o100000:
      return "0";
    default:
      throw new ArchiveError(
        "archive/unsupported",
        `unsupported file mode: 0${mode.toString(8)} (SHA1: ${id})`,
      );
  }
}
