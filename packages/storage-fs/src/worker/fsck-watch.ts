import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import {
  createFsck,
  type Fsck,
  type FsckFinding,
  type FsckSubject,
  fsckLines,
  type ObjectId,
  ObjectsError,
  type ObjectType,
  objectIdToBytes,
  parseFsckSkipList,
  type ReceiveFsck,
} from "@x/objects";
import {
  entryObjectType,
  type InspectedObject,
  type ObjectTable,
  type PackIndex,
  type PackReader,
} from "@x/pack";
import { systemCode } from "../errors.ts";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import type { Job } from "./job.ts";

/** A push says no more about its objects than so many lines, but for what it is refused for. */
const MAX_LINES = 1000;

/** Together; one id and its line take 41. Unit: bytes. */
const MAX_SKIP_LIST_BYTES = 64 * 1024 * 1024;

/** A longer `.gitattributes` is an error unread, as in git. Unit: bytes. */
const MAX_BLOB_BYTES = 100 * 1024 * 1024;

/** A pack that came in. */
interface ReadablePack {
  readonly index: PackIndex;
  readonly openPack: () => PackReader;
}

/** Checks what comes in as `git index-pack --strict` does, and tells the user of it. */
export class FsckWatch {
  readonly #fsck: Fsck;
  readonly #lines: string[] = [];
  #told = 0;

  /** @throws ObjectsError `objects/bad-setting` when a skip list cannot be read */
  constructor({ severities, maxPathnameBytes, skipLists }: ReceiveFsck, location: StoreLocation) {
    const { format } = location;
    const skip = readSkipLists(skipLists, location);
    this.#fsck = createFsck({ format, severities, maxPathnameBytes, skip });
  }

  /** @see InspectObject. @throws ObjectsError `objects/refused` */
  readonly inspect = ({ kind, data, rawId }: InspectedObject): void => {
    const type = entryObjectType(kind) as ObjectType;
    this.#take(this.#fsck.check(type, rawId, data));
  };

  /** Checks the blobs that matter for what trees call them, once all is there. @throws ObjectsError `objects/refused` */
  async finish(pack: ReadablePack, stored: ObjectTable, job: Job): Promise<void> {
    for (const id of this.#fsck.pending()) {
      this.#take(this.#fsck.checkPending(id, find(id, pack, stored)), true);
      await job.breathe();
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

  /** Tells the user what was found so far. */
  async tell(job: Job): Promise<void> {
    for (const line of this.#lines.splice(0)) await job.emit({ kind: "message", text: `${line}\n` });
  }
}

function find(id: ObjectId, { index, openPack }: ReadablePack, stored: ObjectTable): FsckSubject | undefined {
  const position = index.find(objectIdToBytes(id), 0);
  if (position >= 0) {
    const pack = openPack();
    const offset = index.offset(position);
    const { type, size } = pack.header(offset);
    return { type, data: size > MAX_BLOB_BYTES ? undefined : pack.read(offset).data };
  }
  const number = stored.findId(id);
  if (number < 0) return undefined;
  const { type, size } = stored.header(number);
  return { type, data: size > MAX_BLOB_BYTES ? undefined : stored.read(number).data };
}

/** Spec: git-config, `receive.fsck.skipList`. */
function readSkipLists(
  paths: readonly string[],
  { shallowFile, format }: StoreLocation,
): Uint8Array | undefined {
  if (paths.length === 0) return undefined;
  const lists: Uint8Array[] = [];
  let bytes = 0;
  for (const path of paths) {
    const home = path.startsWith("~/") ? `${homedir()}/${path.slice(2)}` : path;
    const full = resolve(dirname(shallowFile), home);
    try {
      bytes += statSync(full).size;
      if (bytes > MAX_SKIP_LIST_BYTES) throw unreadable("too long", path);
      lists.push(parseFsckSkipList(readFileSync(full), format));
    } catch (error) {
      const why = error instanceof ObjectsError ? undefined : systemCode(error);
      throw why === undefined ? error : unreadable(why, path, error);
    }
  }
  return Buffer.concat(lists);
}

function unreadable(why: string, path: string, cause?: unknown): ObjectsError {
  return new ObjectsError("objects/bad-setting", `could not open object name list: ${path} (${why})`, {
    cause,
  });
}
