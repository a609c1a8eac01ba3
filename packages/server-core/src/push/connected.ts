import type { ConnectivityRequest, ObjectId, Quarantine } from "@x/objects";
import { alternateTips } from "../announce/alternate-tips.ts";
import { requiredBoolean } from "../config-value.ts";
import type { Session } from "../session.ts";
import { tellBrokenHistory } from "./broken-history.ts";
import { fsckIsAsked } from "./fsck-settings.ts";
import type { Push } from "./push.ts";

/** Pairs of a tip and a shallow commit that are looked at one by one; beyond, a tip is taken to reach all of them. */
const MAX_PAIRS = 10_000;

/** So many refs are soon listed, and handed over. */
const MAX_FEW = 10_000;

/**
 * Fails the commands whose new objects do not connect to what refs reach.
 * @returns why nothing of the pack counts, fit for the `unpack` line: where objects are to be checked, git's index-pack
 *   looks for all that those of the pack name
 */
export async function checkConnected(push: Push): Promise<string | undefined> {
  const { session, quarantine } = push;
  const { signal } = session;
  const updates = push.liveUpdates;
  if (quarantine === undefined || updates.length === 0 || push.connects) return undefined;
  const tips = newTips(push);
  const known = await whatIsKnown(session);
  const missing = new Set(await quarantine.unconnected(tips, known, { signal }));
  if (missing.size === 0) return undefined;
  await findShallow(push, quarantine, [...missing], known);
  const { repository } = session;
  const mayBeShallow =
    requiredBoolean(repository.config, "receive.shallowUpdate") === true &&
    repository.objects.addShallow !== undefined;
  for (const result of updates) {
    const { newId } = result.command;
    if (!missing.has(newId)) continue;
    if (!push.shallowRoots.has(newId)) result.error = "missing necessary objects";
    else if (!mayBeShallow) result.error = "shallow update not allowed";
  }
  const lacking = [...missing].filter((tip) => !push.shallowRoots.has(tip));
  await tellBrokenHistory(push, quarantine, lacking, known);
  return fsckIsAsked(repository.config) === true ? findLack(push, quarantine, lacking) : undefined;
}

/** What has to connect, as far as that can be told before the pack is read. */
export function connectivityOf(push: Push): ConnectivityRequest {
  const { session } = push;
  const areFew = (session.stats.refs ?? Number.POSITIVE_INFINITY) <= MAX_FEW;
  return { tips: newTips(push), known: () => whatIsKnown(session), areFew };
}

function newTips(push: Push): ObjectId[] {
  return [...new Set(push.liveUpdates.map(({ command }) => command.newId))];
}

/** What a push may build on: all that the pusher has been told of, or would be. */
async function whatIsKnown(session: Session): Promise<ObjectId[]> {
  const known = await session.refs.tips(session.signal, { haves: true });
  for (const id of await alternateTips(session)) known.add(id);
  return [...known];
}

/** Whether one of `tips` is there, so that it is something below it that is not. */
async function findLack(
  push: Push,
  quarantine: Quarantine,
  tips: readonly ObjectId[],
): Promise<string | undefined> {
  const headers = await quarantine.headers(tips, { signal: push.session.signal });
  const tip = tips.find((_, i) => headers[i] !== undefined);
  if (tip === undefined) return undefined;
  push.say(`fatal: did not receive expected objects below ${tip}\n`);
  return "index-pack abnormal exit";
}

/**
 * Which of the tips are complete if history may end where the pusher's does, and at which commits it then ends.
 * Spec: git-config, `receive.shallowUpdate`.
 */
async function findShallow(
  { session, request, shallowRoots }: Push,
  quarantine: Quarantine,
  tips: readonly ObjectId[],
  known: readonly ObjectId[],
): Promise<void> {
  const options = { signal: session.signal };
  if (request.shallow.length === 0) return;
  const own = new Set(await session.repository.objects.shallow(options));
  const stated = [...new Set(request.shallow)].filter((id) => !own.has(id));
  const headers = await quarantine.headers(stated, options);
  const commits = stated.filter((_, i) => headers[i]?.type === "commit");
  // Where all of the history is here, it does not end.
  const ends = await quarantine.unconnected(commits, known, options);
  const broken = new Set(await quarantine.unconnected(tips, known, { ...options, clientShallow: ends }));
  const whole = tips.filter((tip) => !broken.has(tip));
  const peeled = await quarantine.peel(whole, options);
  for (const [i, tip] of whole.entries()) {
    const commit = peeled[i]?.id ?? tip;
    const roots: ObjectId[] = [];
    for (const end of ends) {
      const isAlone = whole.length * ends.length > MAX_PAIRS;
      if (isAlone || (await quarantine.isAncestor(end, commit, options))) roots.push(end);
    }
    shallowRoots.set(tip, roots);
  }
}
