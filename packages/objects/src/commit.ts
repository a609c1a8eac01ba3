import { ObjectsError } from "./errors.ts";
import { hexIdLength, type ObjectFormat, type ObjectId, parseObjectId } from "./object-id.ts";

/*
 * tree <id> LF  (parent <id> LF)*  author <ident> LF  committer <ident> LF  (header LF)*  LF  message
 * Only what a server needs of it is read here: the graph and the time.
 */

/** A commit's place in history. */
export interface CommitLinks {
  readonly tree: ObjectId;
  /** In the commit's own order. */
  readonly parents: readonly ObjectId[];
  /** When it was committed; 0 when the line is missing or unreadable, as C git takes it. Unit: seconds since 1970. */
  readonly committedAt: number;
}

/** Reads tree, parents and time of a commit. @throws ObjectsError `objects/malformed` */
export function parseCommitLinks(commit: Uint8Array, format: ObjectFormat): CommitLinks {
  const idLength = hexIdLength(format);
  let at = 0;
  const idLine = (keyword: string): ObjectId | undefined => {
    for (let i = 0; i < keyword.length; i++) if (commit[at + i] !== keyword.charCodeAt(i)) return undefined;
    const start = at + keyword.length;
    const id = parseObjectId(latin1(commit, start, start + idLength), format);
    if (id === undefined || commit[start + idLength] !== 0x0a)
      throw new ObjectsError("objects/malformed", `malformed ${keyword.trim()} line in a commit`);
    at = start + idLength + 1;
    return id;
  };
  const tree = idLine("tree ");
  if (tree === undefined)
    throw new ObjectsError("objects/malformed", "a commit does not start with a tree line");
  const parents: ObjectId[] = [];
  for (let id = idLine("parent "); id !== undefined; id = idLine("parent ")) parents.push(id);
  return { tree, parents, committedAt: committerTime(commit, at) };
}

/**
 * The time in the committer line of a commit whose header lines from `at` on are `author`, `committer`, …
 * @returns 0 when there is none. Unit: seconds since 1970.
 */
export function committerTime(commit: Uint8Array, at: number): number {
  const authorEnd = commit.indexOf(0x0a, at);
  if (authorEnd < 0) return 0;
  const lineEnd = commit.indexOf(0x0a, authorEnd + 1);
  // "committer " is 10 long; the time is the last field but one, after the mail address.
  if (lineEnd < 0 || commit[authorEnd + 1] !== 0x63) return 0;
  let i = commit.lastIndexOf(0x3e, lineEnd) + 1;
  if (i <= authorEnd) return 0;
  while (commit[i] === 0x20) i++;
  let time = 0;
  for (let digit = commit[i] as number; digit >= 0x30 && digit <= 0x39; digit = commit[++i] as number)
    time = time * 10 + digit - 0x30;
  return Number.isSafeInteger(time) ? time : 0;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end && i < bytes.length; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}
