import type { DeepenAnswer, ObjectId } from "@x/objects";
import { plain, protocolError, refused, type Session } from "../session.ts";
import { hiddenObjects } from "../visible/visible-objects.ts";
import type { FetchRequest } from "./fetch-request.ts";

/** Where the client's history ends and will end, and what follows from it for the pack. */
export interface Boundary {
  /** `shallow` and `unshallow` lines; `undefined` when there is nothing to say. */
  readonly lines: readonly string[] | undefined;
  /** Commits without parents in the client's eyes, the old boundary and the new. */
  readonly shallow: readonly ObjectId[];
  /** What the client wants, with the parents of commits that get theirs now. */
  readonly wants: readonly ObjectId[];
  /** Commits that get their parents now: the client has them, whether it says so again or not. */
  readonly unshallow: readonly ObjectId[];
}

/**
 * Answers the `shallow` and `deepen` lines of a request.
 * @param tellServerBoundary v2 announces no refs, so a server whose own history ends early says so here
 * @throws ServiceError `server-core/protocol`, `server-core/refused`
 * @throws ObjectsError `objects/nothing-selected`
 */
export async function resolveBoundary(
  session: Session,
  request: FetchRequest,
  options: { readonly tellServerBoundary: boolean },
): Promise<Boundary> {
  const { repository, signal } = session;
  if (request.depth !== undefined && (request.deepenSince !== undefined || request.deepenNot.length > 0))
    throw protocolError("git upload-pack: deepen and deepen-since (or deepen-not) cannot be used together");
  const wants = [...request.wants];
  const clientShallow = await knownCommits(session, [...request.shallow]);
  if (request.deepens) {
    const { deepenRelative: relative } = request;
    const answer = await repository.objects.deepen(
      {
        wants,
        // Relative depth moves the boundary wherever a ref reaches it, not only below what is fetched now.
        tips: relative ? [...(await session.refs.tips(signal))] : [],
        clientShallow: await movable(session, request, clientShallow),
        depth: request.depth,
        relative,
        since: request.deepenSince,
        not: await resolveDeepenNot(session, request.deepenNot),
      },
      { signal },
    );
    return {
      lines: linesOf(answer),
      shallow: unique(clientShallow, answer.shallow),
      wants: unique(wants, answer.parents),
      unshallow: answer.unshallow,
    };
  }
  if (!options.tellServerBoundary) return { lines: undefined, shallow: clientShallow, wants, unshallow: [] };
  const own = await repository.objects.shallow({ signal });
  if (own.length === 0)
    return { lines: clientShallow.length > 0 ? [] : undefined, shallow: clientShallow, wants, unshallow: [] };
  // Without the client's boundary: what it did not ask to deepen stays as it is.
  const reached = await repository.objects.deepen(
    { wants, clientShallow: [], depth: Number.POSITIVE_INFINITY },
    { signal },
  );
  const news = reached.shallow.filter((id) => !request.shallow.has(id));
  return {
    lines: news.map((id) => `shallow ${id}`),
    shallow: unique(clientShallow, news),
    wants,
    unshallow: [],
  };
}

/** To unshallow sends the parents of whatever commit the client names: then it has to be one that it may see. */
async function movable(
  session: Session,
  request: FetchRequest,
  clientShallow: readonly ObjectId[],
): Promise<readonly ObjectId[]> {
  if (request.depth !== Number.POSITIVE_INFINITY) return clientShallow;
  const hidden = await hiddenObjects(session, clientShallow);
  return clientShallow.filter((id) => !hidden.has(id));
}

function linesOf(answer: DeepenAnswer): string[] {
  return [...answer.shallow.map((id) => `shallow ${id}`), ...answer.unshallow.map((id) => `unshallow ${id}`)];
}

function unique(first: readonly ObjectId[], second: readonly ObjectId[]): ObjectId[] {
  return [...new Set([...first, ...second])];
}

/** A client may name commits that we do not have; what we have must be a commit. */
async function knownCommits(session: Session, ids: readonly ObjectId[]): Promise<ObjectId[]> {
  if (ids.length === 0) return [];
  const headers = await session.repository.objects.headers(ids, { signal: session.signal });
  return ids.filter((id, i) => {
    const header = headers[i];
    if (header !== undefined && header.type !== "commit") throw protocolError(`invalid shallow object ${id}`);
    return header !== undefined;
  });
}

const SHORT_FORMS: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => `refs/${name}`,
  (name) => `refs/tags/${name}`,
  (name) => `refs/heads/${name}`,
  (name) => `refs/remotes/${name}`,
  (name) => `refs/remotes/${name}/HEAD`,
];

/** Names of refs, short ones too, never ids; hidden and missing look alike. */
async function resolveDeepenNot(session: Session, names: readonly string[]): Promise<ObjectId[]> {
  const ids: ObjectId[] = [];
  for (const name of names) {
    const found: ObjectId[] = [];
    for (const form of SHORT_FORMS) {
      const full = form(name);
      if (full !== "HEAD" && !full.startsWith("refs/")) continue;
      const ref = await session.refs.resolve(full);
      if (ref !== undefined) found.push(ref.id);
    }
    if (found[0] === undefined)
      throw refused(`git upload-pack: deepen-not is not a ref: deepen-not ${plain(name)}`);
    if (found.length > 1) throw refused(`git upload-pack: ambiguous deepen-not: deepen-not ${plain(name)}`);
    ids.push(found[0]);
  }
  return ids;
}
