import { type ObjectId, parseCommitLinks, parseObjectId, parseTree } from "@x/objects";
import { requiredBoolean } from "../config-value.ts";
import { plain, refused, type Session } from "../session.ts";

/** What an archive is made of. */
export interface ArchivedTree {
  readonly tree: ObjectId;
  readonly commit: ObjectId | undefined;
  /** When it was committed. Unit: seconds since 1970. */
  readonly time: number | undefined;
}

/** Where a short name of a ref is looked for, in this order. Spec: gitrevisions, "Specifying Revisions". */
const RULES = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] as const;

/** Steps of one name, `~3` being three of them. */
const MAX_STEPS = 10_000;

/**
 * Finds what a client names: a ref that it may see, or a path below one. Where a repository says so it may also name
 * objects by their ids, and ancestors. Nothing else of what git takes for a name leads anywhere.
 * @throws ServiceError `server-core/refused`, in C git's words. Spec: git-config, `uploadArchive.allowUnreachable`
 */
export async function findArchivedTree(session: Session, name: string): Promise<ArchivedTree> {
  const colon = name.indexOf(":");
  const revision = colon < 0 ? name : name.slice(0, colon);
  const path = colon < 0 ? undefined : name.slice(colon + 1);
  const mayBeAny = requiredBoolean(session.repository.config, "uploadarchive.allowUnreachable") === true;
  const ref = await findRef(session, revision);
  if (ref === undefined && !mayBeAny) throw refused(`no such ref: ${plain(revision)}`);
  const start = ref ?? (await findRevision(session, revision));
  if (start === undefined) throw refused(`not a valid object name: ${plain(name)}`);
  if (path === undefined) return treeOf(session, start);
  const { tree } = await treeOf(session, start);
  const found = await findPath(session, tree, path);
  if (found === undefined) throw refused(`not a valid object name: ${plain(name)}`);
  return treeOf(session, found);
}

/** @returns `undefined` for a hidden ref as for a missing one */
async function findRef(session: Session, name: string): Promise<ObjectId | undefined> {
  if (name === "") return undefined;
  const wanted = name === "@" ? "HEAD" : name;
  for (const rule of [...RULES.map((prefix) => prefix + wanted), `refs/remotes/${wanted}/HEAD`]) {
    const ref = await session.refs.resolve(rule);
    if (ref !== undefined) return ref.id;
  }
  return undefined;
}

/** An id or a ref, and where `~`, `^` and `^{type}` lead from it. */
async function findRevision(session: Session, name: string): Promise<ObjectId | undefined> {
  const [, base = "", steps = ""] = /^([^~^]*)(.*)$/s.exec(name) ?? [];
  let id =
    parseObjectId(base.toLowerCase(), session.repository.objectFormat) ?? (await findRef(session, base));
  let count = 0;
  for (const step of steps.match(/~[0-9]{0,6}|\^[0-9]{1,6}|\^\{[a-z]*\}|\^|[\s\S]+/g) ?? []) {
    if (id === undefined) return undefined;
    if (step.startsWith("~"))
      for (let left = step === "~" ? 1 : Number(step.slice(1)); left > 0 && id !== undefined; left--) {
        if (++count > MAX_STEPS) return undefined;
        id = await parentOf(session, id, 1);
      }
    else if (/^\^[0-9]*$/.test(step))
      id = await parentOf(session, id, step === "^" ? 1 : Number(step.slice(1)));
    else id = await ofType(session, id, /^\^\{([a-z]*)\}$/.exec(step)?.[1]);
  }
  if (id === undefined) return undefined;
  const [isStored] = await session.repository.objects.has([id], { signal: session.signal });
  return isStored === true ? id : undefined;
}

/** @param number the commit itself for 0 */
async function parentOf(session: Session, id: ObjectId, number: number): Promise<ObjectId | undefined> {
  const commit = await ofType(session, id, "commit");
  if (commit === undefined || number === 0) return commit;
  const links = await readCommit(session, commit);
  return links.parents[number - 1];
}

async function ofType(
  session: Session,
  id: ObjectId,
  type: string | undefined,
): Promise<ObjectId | undefined> {
  if (type === undefined) return undefined;
  const { objects } = session.repository;
  if (type === "object") return id;
  if (type === "tag") {
    const [header] = await objects.headers([id], { signal: session.signal });
    return header?.type === "tag" ? id : undefined;
  }
  const [peeled] = await objects.peel([id], { signal: session.signal });
  if (type === "" || peeled?.type === type) return peeled?.id;
  return type === "tree" && peeled?.type === "commit"
    ? (await readCommit(session, peeled.id)).tree
    : undefined;
}

async function treeOf(session: Session, id: ObjectId): Promise<ArchivedTree> {
  const [peeled] = await session.repository.objects.peel([id], { signal: session.signal });
  if (peeled?.type === "tree") return { tree: peeled.id, commit: undefined, time: undefined };
  if (peeled?.type !== "commit") throw refused(`not a tree object: ${id}`);
  const { tree, committedAt } = await readCommit(session, peeled.id);
  return { tree, commit: peeled.id, time: committedAt };
}

async function readCommit(session: Session, id: ObjectId): Promise<ReturnType<typeof parseCommitLinks>> {
  const { objects, objectFormat } = session.repository;
  const commit = await objects.read(id, { signal: session.signal });
  if (commit === undefined) throw refused(`not a tree object: ${id}`);
  return parseCommitLinks(commit.data, objectFormat);
}

/** @returns what lies at `path`, each part of it being looked for among the names of a tree */
async function findPath(session: Session, root: ObjectId, path: string): Promise<ObjectId | undefined> {
  const { objects, objectFormat } = session.repository;
  let id = root;
  const parts = path.replace(/\/$/, "").split("/");
  if (parts.length === 1 && parts[0] === "") return path === "" ? root : undefined;
  for (const part of parts) {
    const tree = await objects.read(id, { signal: session.signal });
    if (tree?.type !== "tree" || part === "") return undefined;
    const entry = parseTree(tree.data, objectFormat).find(({ name }) => name === part);
    if (entry === undefined) return undefined;
    id = entry.id;
  }
  return id;
}
