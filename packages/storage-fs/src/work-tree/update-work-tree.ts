import { setImmediate } from "node:timers/promises";
import { ObjectsError } from "@x/objects";
import { type ObjectTable, PackError } from "@x/pack";
import { toBytePath } from "../byte-path.ts";
import { StorageFsError, systemCode } from "../errors.ts";
import type { Job } from "../worker/job.ts";
import { attributesOfCommit, attributesOfFiles } from "./attribute-sources.ts";
import { checkPlan } from "./check-plan.ts";
import { encodeIndex } from "./encode-index.ts";
import { FileWriter } from "./file-writer.ts";
import { type ReadIndex, readIndexFile } from "./index-file.ts";
import { IndexLock } from "./index-lock.ts";
import { LeadingPaths } from "./leading-path.ts";
import { hasStagedChanges, planUpdate, type UpdatePlan } from "./plan-update.ts";
import { type FileComparison, refreshEntries } from "./refresh-entries.ts";
import { listTreeFiles, type TreeFiles, treeOf } from "./tree-files.ts";
import { UpdateRefused } from "./update-refused.ts";
import type { WorkTreeAnswer, WorkTreeRequest } from "./update-request.ts";

/** What C git says, step by step. */
const NOT_REFRESHED = "Up-to-date check failed";
const UNSTAGED = "Working directory has unstaged changes";
const STAGED = "Working directory has staged changes";
const NOT_UPDATED = "Could not update working tree to new HEAD";

/** After the first change it is gone through with; others get their turn this often. Unit: milliseconds. */
const SLICE_MS = 15;

/**
 * Brings a clean work tree from one commit to another, as `git receive-pack` does: files first, then the index. Whoever
 * dies in between leaves files that differ from the index, and the lock. Called off only before the first change.
 * Spec: git-config, `receive.denyCurrentBranch`, "updateInstead".
 */
export async function updateWorkTree(
  objects: ObjectTable,
  job: Job,
  request: WorkTreeRequest,
): Promise<WorkTreeAnswer> {
  const indexPath = `${request.gitDirectory}/index`;
  job.keepGoing();
  let lock: IndexLock | undefined;
  try {
    lock = IndexLock.take(indexPath);
    const prepared = await job.run(prepare(objects, request, lock !== undefined));
    if (lock === undefined) throw new UpdateRefused(`Unable to create '${indexPath}.lock': File exists.`);
    await goThrough(carryOut(prepared, request, lock));
    return { refusal: undefined, messages: [] };
  } catch (error) {
    return answerOf(error);
  } finally {
    lock?.release();
  }
}

function answerOf(error: unknown): WorkTreeAnswer {
  if (error instanceof UpdateRefused)
    return {
      refusal: error.verdict ?? NOT_UPDATED,
      messages: error.message === "" ? [] : [`error: ${error.message}`],
    };
  if (error instanceof StorageFsError && error.code === "storage-fs/unsupported-index")
    return { refusal: `updateInstead cannot go on: ${error.message}`, messages: [] };
  if (error instanceof StorageFsError && error.code === "storage-fs/bad-index")
    return { refusal: NOT_REFRESHED, messages: [`error: ${error.message}`] };
  if (error instanceof PackError || error instanceof ObjectsError || systemCode(error) !== undefined)
    return { refusal: NOT_UPDATED, messages: [`error: ${(error as Error).message}`] };
  throw error;
}

interface Prepared {
  readonly index: ReadIndex;
  readonly plan: UpdatePlan;
  readonly target: TreeFiles;
  readonly writer: FileWriter;
}

/** Everything that can be found out without a change. */
function* prepare(
  objects: ObjectTable,
  request: WorkTreeRequest,
  isLocked: boolean,
): Generator<void, Prepared> {
  const { settings, commonDirectory, limits } = request;
  const root = toBytePath(request.directory);
  const index = readIndexFile(`${request.gitDirectory}/index`, objects.format, settings.indexVersion);
  const unmerged = index.entries.find(({ stage }) => stage > 0);
  if (unmerged !== undefined) throw new UpdateRefused(`${unmerged.path}: needs merge`, NOT_REFRESHED);
  const places = { root, commonDirectory, settings };
  const comparison: FileComparison = {
    root,
    format: objects.format,
    objects,
    settings,
    attributes: attributesOfFiles(places),
    leading: new LeadingPaths(root),
    indexMtimeNs: index.mtimeNs,
  };
  const { entries, isStale, changed } = yield* refreshEntries(index.entries, comparison);
  if (isStale && !isLocked) throw new UpdateRefused("", NOT_REFRESHED);
  if (changed.length > 0) throw new UpdateRefused("", UNSTAGED);
  const current = request.from === undefined ? undefined : treeOf(objects, request.from);
  if (current === undefined || current !== index.tree) {
    const files = current === undefined ? [] : (yield* listTreeFiles(objects, current, limits)).files;
    if (hasStagedChanges(entries, files)) throw new UpdateRefused("", STAGED);
  }
  if (settings.sparse)
    throw new UpdateRefused("", "updateInstead cannot go on: the checkout is sparse (core.sparseCheckout)");
  const target = yield* listTreeFiles(objects, treeOf(objects, request.to), limits);
  const plan = planUpdate(entries, target.files);
  yield* checkPlan(plan, comparison);
  const attributes = attributesOfCommit(places, target.files, objects);
  const writer = new FileWriter({ root, objects, settings, attributes, maxBytes: limits.maxBytes });
  yield* writer.check(plan);
  return { index, plan, target, writer };
}

/** The changes. On failure the files become what they were, as far as that can be done. */
function* carryOut(
  { index, plan, target, writer }: Prepared,
  { settings, sync }: WorkTreeRequest,
  lock: IndexLock,
): Generator<void, void> {
  try {
    const entries = yield* writer.carryOut(plan);
    const { skipHash } = settings;
    const { version } = index;
    const chunks = encodeIndex(
      { version, entries },
      { format: writer.format, skipHash, cacheTree: target.cacheTree },
    );
    yield* lock.commit(chunks, sync);
  } catch (error) {
    yield* writer.undo(plan);
    throw error;
  }
}

async function goThrough(steps: Generator<void, void>): Promise<void> {
  let sliceEnd = performance.now() + SLICE_MS;
  while (!steps.next().done) {
    if (performance.now() < sliceEnd) continue;
    await setImmediate();
    sliceEnd = performance.now() + SLICE_MS;
  }
}
