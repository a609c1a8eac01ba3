import {
  createFsck,
  type Fsck,
  type FsckFinding,
  type FsckOptions,
  type FsckSubject,
  fsckLines,
  type ObjectId,
  ObjectsError,
  type ObjectType,
  objectIdToBytes,
} from "@x/objects";
import { entryObjectType } from "../format/entry-header.ts";
import type { PackIndex } from "../format/pack-index.ts";
import type { ObjectTable } from "../read/object-table.ts";
import type { PackReader } from "../read/pack-reader.ts";
import { readWhole } from "../read/spill-object.ts";
import type { SpillRoom } from "../read/spill-room.ts";
import type { InspectedObject } from "../take/object-inspector.ts";
import type { Pace } from "./pace.ts";

/** A push says no more about its objects than so many lines, but for what it is refused for. */
const MAX_LINES = 1000;

/** A longer `.gitattributes` is an error unread, as in git. Unit: bytes. */
const MAX_BLOB_BYTES = 100 * 1024 * 1024;

/** A pack that came in. */
interface ReadablePack {
  readonly index: PackIndex;
  readonly openPack: () => PackReader;
  /** For what is too large to be held, though what is made of it is not; without it everything is. */
  readonly room?: SpillRoom | undefined;
}

/** Checks what comes in as `git index-pack --strict` does, and tells the user of it. */
export class FsckWatch {
  readonly #fsck: Fsck;
  readonly #lines: string[] = [];
  #told = 0;

  constructor(options: FsckOptions) {
    this.#fsck = createFsck(options);
  }

  /** @see InspectObject. @throws ObjectsError `objects/refused` */
  readonly inspect = ({ kind, data, rawId }: InspectedObject): void => {
    const type = entryObjectType(kind) as ObjectType;
    this.#take(this.#fsck.check(type, rawId, data));
  };

  /** Checks the blobs that matter for what trees call them, once all is there. @throws ObjectsError `objects/refused` */
  async finish(pack: ReadablePack, stored: ObjectTable, pace: Pace): Promise<void> {
    for (const id of this.#fsck.pending()) {
      this.#take(this.#fsck.checkPending(id, await pace.run(find(id, pack, stored))), true);
      await pace.breathe();
    }
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  #refusal: ObjectsError | undefined;

  /** @param all go on after the first that is refused */
  #take(findings: readonly FsckFinding[], all = false): void {
    let refusal: FsckFinding | undefined;
    for (const finding of findings) {
      if (finding.refusal !== undefined) refusal ??= finding;
      if (++this.#told < MAX_LINES || finding.refusal !== undefined) this.#lines.push(...fsckLines(finding));
      else if (this.#told === MAX_LINES) this.#lines.push("warning: further objects have flaws");
    }
    if (refusal === undefined) return;
    const { refusal: message = "", objectId } = refusal;
    this.#refusal ??= new ObjectsError("objects/refused", message, { id: objectId });
    if (!all) throw this.#refusal;
  }

  /** What was found since the last time, for the user: lines with their ends. */
  takeLines(): string[] {
    return this.#lines.splice(0).map((line) => `${line}\n`);
  }
}

function* find(
  id: ObjectId,
  { index, openPack, room }: ReadablePack,
  stored: ObjectTable,
): Generator<void, FsckSubject | undefined> {
  const position = index.find(objectIdToBytes(id), 0);
  const number = position >= 0 ? -1 : stored.findId(id);
  if (position < 0 && number < 0) return undefined;
  const place = position >= 0 ? { pack: openPack(), offset: index.offset(position) } : stored.placeOf(number);
  const { type, size } = place === undefined ? stored.header(number) : place.pack.header(place.offset);
  if (size > MAX_BLOB_BYTES) return { type, data: undefined };
  if (place === undefined) return { type, data: stored.read(number).data };
  return { type, data: yield* readWhole(place.pack, place.offset, room) };
}
