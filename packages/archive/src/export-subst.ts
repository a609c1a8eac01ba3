import type { ArchiveRef } from "@x/objects";
import { fromBytes, toBytes } from "./byte-text.ts";
import { type CommitFormat, needsRefs } from "./commit-text/commit-format.ts";
import { ArchiveError } from "./errors.ts";

/** No file grows beyond this by what is put into it: a long message fits into a short file many times. Unit: bytes. */
export const MAX_EXPANDED_BYTES: number = 64 * 1024 * 1024;

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
  let size = blob.length;
  let at = 0;
  for (;;) {
    const opening = text.indexOf(OPENING, at);
    const end = opening < 0 ? -1 : text.indexOf("$", opening + OPENING.length);
    if (end < 0) break;
    const format = text.slice(opening + OPENING.length, end);
    if (memory.refs === undefined && needsRefs(format)) memory.refs = (yield { kind: "refs" }) ?? [];
    const expanded = commit.expand(format, memory.refs ?? []);
    size += expanded.length;
    if (size > Math.max(MAX_EXPANDED_BYTES, blob.length))
      throw new ArchiveError(
        "archive/limit-exceeded",
        `a file with export-subst exceeds ${MAX_EXPANDED_BYTES} bytes`,
      );
    pieces.push(text.slice(at, opening), expanded);
    at = end + 1;
  }
  if (at === 0) return blob;
  pieces.push(text.slice(at));
  return toBytes(pieces.join(""));
}
