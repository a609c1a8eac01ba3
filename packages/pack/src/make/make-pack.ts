import type { ObjectId, PackEvent, PackRequest } from "@x/objects";
import { PackError } from "../errors.ts";
import type { ObjectTable } from "../read/object-table.ts";
import { type EnumerateRequest, enumerateObjects } from "../walk/enumerate.ts";
import type { Selection } from "../walk/selection.ts";
import { CHUNK_HEADROOM_BYTES } from "./pack-output.ts";
import { PackWriter, type WritePackOptions } from "./pack-writer.ts";
import { ProgressMeter } from "./progress-meter.ts";
import { answerKey, recall, remember } from "./recall.ts";

/** What making a pack needs beside the objects. */
export interface PackTools extends Pick<WritePackOptions, "codec" | "createHasher" | "spare"> {
  /** Believe no bitmaps. */
  readonly withoutBitmaps?: boolean | undefined;
}

/**
 * Answers a {@link PackRequest} from an {@link ObjectTable}. Every now and then it yields `undefined`: then the caller may
 * do something else, or give up; it is also the caller that minds `maxCpuMs`, for here is no clock.
 * @throws PackError `pack/missing-object`, `pack/limit-exceeded` and whatever reading the packs brings up
 */
export function* makePack(
  table: ObjectTable,
  request: PackRequest,
  tools: PackTools,
): Generator<PackEvent | undefined, void> {
  const meter = new ProgressMeter(request.progress === true);
  const selection = yield* select(table, request, meter, tools);
  selectTags(table, request, selection);
  if (request.elsewhere !== undefined)
    yield { kind: "elsewhere", ids: leaveOut(table, selection, request.elsewhere) };
  yield* meter.done("Enumerating objects", selection.count);
  yield* meter.done("Counting objects", selection.count, selection.count);
  const writer = new PackWriter(table, selection, {
    ...tools,
    ofsDelta: request.ofsDelta === true,
    thin: request.thin === true,
  });
  const maxBytes = request.limits?.maxPackBytes ?? Infinity;
  let sent = 0;
  for (const bytes of writer.run()) {
    if (bytes === undefined) yield undefined;
    else {
      sent += bytes.length;
      if (sent > maxBytes)
        throw new PackError("pack/limit-exceeded", `the pack has more bytes than maxPackBytes (${maxBytes})`);
      yield { kind: "bytes", bytes, headroom: CHUNK_HEADROOM_BYTES };
    }
  }
  const { written: objects, reused, deltas, bytes, packReused, packsReused } = writer;
  const apart = reused - packReused;
  yield* meter.text(
    `Total ${objects} (delta ${deltas}), reused ${apart} (delta ${deltas}), pack-reused ${packReused} (from ${packsReused})\n`,
  );
  yield { kind: "summary", summary: { objects, bytes, reused, deltas } };
}

function* select(
  table: ObjectTable,
  request: PackRequest,
  meter: ProgressMeter,
  { withoutBitmaps, createHasher }: PackTools,
): Generator<PackEvent | undefined, Selection> {
  const key = answerKey(request, createHasher);
  const known = key === undefined ? undefined : recall(table, key);
  if (known !== undefined) return known;
  const enumeration = enumerateObjects(table, { ...enumerateRequest(table, request), withoutBitmaps });
  const end = key === undefined ? undefined : table.answers.seek(key);
  try {
    for (;;) {
      const step = enumeration.next();
      if (step.done) {
        if (key === undefined) return step.value;
        remember(table, key, step.value);
        // It is shared, and the notes of the walk are not.
        return recall(table, key) ?? step.value;
      }
      yield undefined;
      yield* meter.update("Enumerating objects", step.value);
    }
  } finally {
    end?.();
  }
}

function enumerateRequest(table: ObjectTable, request: PackRequest): EnumerateRequest {
  const wants = request.wants.map((id) => stored(table, id));
  const haves = request.haves.map((id) => table.findId(id)).filter((number) => number >= 0);
  const shallow = new Set(
    (request.shallow ?? []).map((id) => table.findId(id)).filter((number) => number >= 0),
  );
  const { filter, limits, allowMissing } = request;
  const maxTreeVisits = limits?.maxTreeVisits;
  const likeness = request.thin === true;
  return { wants, haves, shallow, likeness, filter, maxTreeVisits, allowMissing };
}

function stored(table: ObjectTable, id: ObjectId): number {
  const number = table.findId(id);
  if (number < 0) throw new PackError("pack/missing-object", `bad object ${id}`, { id });
  return number;
}

/** @returns those of `ids` that were selected and are not any more */
function leaveOut(table: ObjectTable, selection: Selection, ids: readonly ObjectId[]): ObjectId[] {
  return ids.filter((id) => {
    const number = table.findId(id);
    return number >= 0 && selection.drop(number);
  });
}

/** Tags ride along when what they point at does. */
function selectTags(table: ObjectTable, request: PackRequest, selection: Selection): void {
  for (const { tag, peeled } of request.tags ?? []) {
    const target = table.findId(peeled);
    const number = table.findId(tag);
    if (target >= 0 && number >= 0 && selection.isSelected(target)) selection.selectTag(number);
  }
}
