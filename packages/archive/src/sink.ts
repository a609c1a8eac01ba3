import type { ObjectId } from "@x/objects";

/** An entry's content: in memory, or so large that it comes in pieces. */
export type Content =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "stream"; readonly size: number; readonly open: () => Iterable<Uint8Array> };

/** One entry of an archive, its name with the prefix in front; a directory's ends in a slash. */
export interface ArchiveEntry {
  readonly path: string;
  /** {@link path} without the prefix, for attributes. */
  readonly pathInTree: string;
  /** As in the tree: 0o100644, 0o100755, 0o120000, 0o40000 (also of the prefix) or 0o160000. */
  readonly mode: number;
  readonly id: ObjectId;
  /** Of files and symlinks. */
  readonly content?: Content | undefined;
  /** It is so large that it is written as it is read, whatever {@link content} it came as. */
  readonly isBig?: boolean;
}

/** Writes one format. The generators give way now and then; what they give means nothing. */
export interface Archiver {
  start(): void;
  add(entry: ArchiveEntry): Generator<void, void>;
  end(): Generator<void, void>;
}

/** The pieces of a content, none of them above `most` bytes. */
export function* piecesOf(content: Content, most: number): Generator<Uint8Array, void> {
  const whole = content.kind === "bytes" ? [content.bytes] : content.open();
  for (const bytes of whole)
    for (let at = 0; at < bytes.length; at += most) yield bytes.subarray(at, at + most);
}

/** Unit: bytes. */
export function contentSize(content: Content | undefined): number {
  if (content === undefined) return 0;
  return content.kind === "bytes" ? content.bytes.length : content.size;
}
