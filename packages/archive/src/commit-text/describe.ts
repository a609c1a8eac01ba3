import { type ArchiveRef, matchesPath, type ObjectId, parseCommitLinks } from "@x/objects";
import type { FormatContext } from "./commit-format.ts";

/** Commits that are looked at for one description; what is older is not found. */
const MAX_COMMITS = 100_000;

/** Tags that are compared. As in C git. */
const MAX_CANDIDATES = 10;

interface Options {
  readonly allTags: boolean;
  readonly abbrev: number | undefined;
  readonly match: readonly string[];
  readonly exclude: readonly string[];
}

interface Tag {
  readonly name: string;
  readonly isAnnotated: boolean;
  readonly taggedAt: number;
}

interface Candidate {
  readonly tag: Tag;
  readonly order: number;
  readonly flag: number;
  depth: number;
}

interface Step {
  readonly id: ObjectId;
  readonly at: number;
  readonly order: number;
}

/**
 * The commit by its nearest tag, as `git describe` has it; empty when there is none.
 * @returns `undefined` when the options cannot be read. Spec: git-describe; git-log, `%(describe)`
 */
export function findDescription(
  text: string,
  refs: readonly ArchiveRef[],
  context: FormatContext,
  short: (id: ObjectId) => string,
): string | undefined {
  const options = parseOptions(text);
  if (options === undefined) return undefined;
  const tags = tagsByCommit(refs, options, context);
  const exact = tags.get(context.id);
  if (exact !== undefined) return exact.name;
  const best = nearest(tags, context);
  if (best === undefined) return "";
  if (options.abbrev === 0) return best.tag.name;
  const digits =
    options.abbrev === undefined
      ? short(context.id)
      : context.id.slice(0, context.source.abbreviate?.(context.id, Math.max(options.abbrev, 4)));
  return `${best.tag.name}-${best.depth}-g${digits}`;
}

function parseOptions(text: string): Options | undefined {
  let allTags = false;
  let abbrev: number | undefined;
  const match: string[] = [];
  const exclude: string[] = [];
  for (const word of text.split(",")) {
    if (word === "") continue;
    const [, key, value] = /^([a-z]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (key === "tags" && (value === undefined || /^(?:true|yes|on|1)$/i.test(value))) allTags = true;
    else if (key === "tags" && /^(?:false|no|off|0)?$/i.test(value ?? "x")) allTags = false;
    else if (key === "abbrev" && /^[0-9]{1,4}$/.test(value ?? "")) abbrev = Number(value);
    else if (key === "match" && value) match.push(value);
    else if (key === "exclude" && value) exclude.push(value);
    else return undefined;
  }
  return { allTags, abbrev, match, exclude };
}

function tagsByCommit(
  refs: readonly ArchiveRef[],
  { allTags, match, exclude }: Options,
  { source }: FormatContext,
): Map<ObjectId, Tag> {
  const found = new Map<ObjectId, Tag>();
  const fits = (name: string, patterns: readonly string[]) =>
    patterns.some((pattern) => matchesPath(pattern, name, { ignoreCase: false, acrossSlashes: true }));
  for (const ref of refs) {
    if (!ref.name.startsWith("refs/tags/")) continue;
    const name = ref.name.slice("refs/tags/".length);
    if ((match.length > 0 && !fits(name, match)) || fits(name, exclude)) continue;
    const isAnnotated = ref.peeled !== undefined;
    if (!isAnnotated && !allTags) continue;
    const commit = ref.peeled ?? ref.id;
    const known = found.get(commit);
    const taggedAt = isAnnotated ? tagTime(source.read(ref.id)?.data) : 0;
    if (known !== undefined && !isBetter({ name, isAnnotated, taggedAt }, known)) continue;
    found.set(commit, { name, isAnnotated, taggedAt });
  }
  return found;
}

/** The newer annotated one; an annotated one rather than another; else the first. */
function isBetter(tag: Tag, known: Tag): boolean {
  if (tag.isAnnotated !== known.isAnnotated) return tag.isAnnotated;
  return tag.isAnnotated && tag.taggedAt > known.taggedAt;
}

function tagTime(tag: Uint8Array | undefined): number {
  const head = new TextDecoder("latin1").decode((tag ?? new Uint8Array(0)).subarray(0, 4096));
  return Number(/\ntagger [^\n]*> ([0-9]{1,15})/.exec(head)?.[1] ?? 0);
}

/** Looks back through history, latest first, until enough tags are seen and each knows how far away it is. */
function nearest(tags: ReadonlyMap<ObjectId, Tag>, context: FormatContext): Candidate | undefined {
  const { source } = context;
  const reached = new Map<ObjectId, number>();
  const queue: Step[] = [];
  let order = 0;
  const links = (id: ObjectId) => {
    const commit = source.read(id);
    return commit?.type === "commit" ? parseCommitLinks(commit.data, source.format) : undefined;
  };
  const push = (id: ObjectId, flags: number) => {
    const before = reached.get(id);
    reached.set(id, (before ?? 0) | flags);
    if (before !== undefined) return;
    const found = links(id);
    if (found !== undefined) insert(queue, { id, at: found.committedAt, order: order++ });
  };
  push(context.id, 0);
  const candidates: Candidate[] = [];
  let seen = 0;
  let gaveUpOn: ObjectId | undefined;
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    if (++seen > MAX_COMMITS) break;
    const tag = tags.get(step.id);
    if (tag !== undefined) {
      if (candidates.length >= MAX_CANDIDATES) {
        gaveUpOn = step.id;
        break;
      }
      const flag = 1 << candidates.length;
      candidates.push({ tag, order: candidates.length, flag, depth: seen - 1 });
      reached.set(step.id, (reached.get(step.id) ?? 0) | flag);
    }
    const flags = reached.get(step.id) ?? 0;
    for (const candidate of candidates) if ((flags & candidate.flag) === 0) candidate.depth++;
    for (const parent of links(step.id)?.parents ?? []) push(parent, flags);
    // All that is left is behind every candidate.
    if (candidates.length > 0 && queue.length === 0) break;
  }
  if (gaveUpOn !== undefined) insert(queue, { id: gaveUpOn, at: Number.MAX_SAFE_INTEGER, order: -1 });
  candidates.sort((a, b) => a.depth - b.depth || a.order - b.order);
  const [best] = candidates;
  if (best === undefined) return undefined;
  // The depth of the best has to be known to the end.
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    if (++seen > MAX_COMMITS) break;
    const flags = reached.get(step.id) ?? 0;
    if ((flags & best.flag) !== 0) {
      if (queue.every(({ id }) => ((reached.get(id) ?? 0) & best.flag) !== 0)) break;
    } else best.depth++;
    for (const parent of links(step.id)?.parents ?? []) push(parent, flags);
  }
  return best;
}

/** Latest first; of the same time the one that came first. */
function insert(queue: Step[], step: Step): void {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = queue[middle] as Step;
    if (other.at > step.at || (other.at === step.at && other.order < step.order)) low = middle + 1;
    else high = middle;
  }
  queue.splice(low, 0, step);
}
