import type { ArchiveRef } from "@x/objects";
import { fromBytes, toBytes } from "./byte-text.ts";
import { type CommitFormat, needsRefs } from "./commit-text/commit-format.ts";
import { ArchiveError } from "./errors.ts";

/** No file grows beyond this by what is put into it: a long message fits into a short file many times. Unit: bytes. */
export const MAX_EXPANDED_BYTES: number = 64 * 1024 * 1024;

/** How far padding looks back, at least: as far as it may go. Unit: bytes. */
const TAIL_BYTES = 16 * 1024;

const OPENING = "$Format:";

/** Asks for the refs of {@link ArchiveQuestions}. */
export type AskRefs = { readonly kind: "refs" };

/** Asks at most once, and only when a format tells of refs. */
export type RefsMemory = { refs: readonly ArchiveRef[] | undefined };

/**
 * Puts what formats say of the commit into their places. Spec: gitattributes, `export-subst`.
 * @throws ArchiveError `archive/limit-exceeded`
 */
export function* expandFormats(
  blob: Uint8Array,
  commit: CommitFormat,
  memory: RefsMemory,
): Generator<AskRefs, Uint8Array, readonly ArchiveRef[] | undefined> {
  const text = fromBytes(blob);
  const pieces: string[] = [];
  let length = 0;
  // The end of what is made so far: padding looks back over its line.
  let tail = "";
  let at = 0;
  for (;;) {
    const opening = text.indexOf(OPENING, at);
    const end = opening < 0 ? -1 : text.indexOf("$", opening + OPENING.length);
    if (end < 0) break;
    const format = text.slice(opening + OPENING.length, end);
    if (memory.refs === undefined && needsRefs(format)) memory.refs = (yield { kind: "refs" }) ?? [];
    tail += text.slice(at, opening);
    if (tail.length > TAIL_BYTES) {
      pieces.push(tail.slice(0, -TAIL_BYTES));
      length += tail.length - TAIL_BYTES;
      tail = tail.slice(-TAIL_BYTES);
    }
    tail = commit.expand(format, memory.refs ?? [], tail);
    if (length + tail.length > Math.max(MAX_EXPANDED_BYTES, blob.length))
      throw new ArchiveError(
        "archive/limit-exceeded",
        `a file with export-subst exceeds ${MAX_EXPANDED_BYTES} bytes`,
      );
    at = end + 1;
  }
  if (at === 0) return blob;
  pieces.push(tail, text.slice(at));
  return toBytes(pieces.join(""));
}
