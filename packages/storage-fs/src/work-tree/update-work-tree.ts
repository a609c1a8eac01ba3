import { setImmediate } from "node:timers/promises";
import { ObjectsError } from "@x/objects";
import { type ObjectTable, PackError } from "@x/pack";
import { toBytePath } from "../disk/byte-path.ts";
import { type LockFile, lockFile, syncDirectories } from "../disk/lock-file.ts";
import { StorageFsError, systemCode } from "../errors.ts";
import { Journal } from "../journal/journal.ts";
import type { Job } from "../worker/job.ts";
import { attributesOfCommit, attributesOfFiles } from "./attribute-sources.ts";
import { checkPlan } from "./check-plan.ts";
import { encodeIndex } from "./encode-index.ts";
import { FileWriter } from "./file-writer.ts";
import { type ReadIndex, readIndexFile } from "./index-file.ts";
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
  job.keepGoing();
  const indexPath = `${request.gitDirectory}/index`;
  let lock: LockFile | undefined;
  try {
    lock = await lockIndex(toBytePath(indexPath), request);
    const prepared = await job.run(prepare(objects, request, lock !== undefined));
    if (lock === undefined) throw new UpdateRefused(`Unable to create '${indexPath}.lock': File exists.`);
    await carryOut(prepared, request, lock);
    return { refusal: undefined, messages: [] };
  } catch (error) {
    return answerOf(error);
  } finally {
    await lock?.release();
  }
}

/** Git's own lock; should this process die, who comes next knows it for ours. `undefined` when somebody else has it. */
async function lockIndex(
  indexPath: string,
  { commonDirectory, sync, access }: WorkTreeRequest,
): Promise<LockFile | undefined> {
  const journal = new Journal(toBytePath(commonDirectory), false, access);
  const draft = await journal.draft(indexPath, new Uint8Array(0));
  return lockFile(indexPath, { timeoutMs: 0, draft, sync, access });
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
async function carryOut(
  { index, plan, target, writer }: Prepared,
  { settings, sync, gitDirectory }: WorkTreeRequest,
  lock: LockFile,
): Promise<void> {
  const { version } = index;
  const { cacheTree } = target;
  const { skipHash } = settings;
  try {
    const entries = await goThrough(writer.carryOut(plan));
    await lock.write(encodeIndex({ version, entries }, { format: writer.format, skipHash, cacheTree }));
    await lock.commit();
  } catch (error) {
    await goThrough(writer.undo(plan));
    throw error;
  }
  if (sync) await syncDirectories([toBytePath(gitDirectory)]);
}

async function goThrough<T>(steps: Generator<void, T>): Promise<T> {
  let sliceEnd = performance.now() + SLICE_MS;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < sliceEnd) continue;
    await setImmediate();
    sliceEnd = performance.now() + SLICE_MS;
  }
}
