import { ObjectsError } from "../errors.ts";
import {
  type ObjectFormat,
  type ObjectId,
  objectIdFromBytes,
  objectIdToBytes,
  rawIdLength,
} from "../object-id.ts";
import { checkGitattributes } from "./check-gitattributes.ts";
import { checkGitmodules } from "./check-gitmodules.ts";
import type { FsckFinding } from "./finding.ts";
import type { FsckLimits, FsckSubject } from "./fsck.ts";
import { RawIdTable } from "./raw-id-table.ts";
import type { Report } from "./report.ts";
import type { SpecialBlobs } from "./tree-names.ts";

const GITMODULES = 1;
const GITATTRIBUTES = 2;
/** A state's bits for what is done stand above those for what was found. */
const DONE_SHIFT = 2;

const AT_THE_END = "fsck error in pack objects";

/** Remembers which blobs trees have at `.gitmodules` and `.gitattributes`, and checks them when they are there. */
export class SpecialBlobCheck implements SpecialBlobs {
  readonly #format: ObjectFormat;
  readonly #report: Report;
  readonly #maxBlobs: number;
  readonly #maxGitmodulesBytes: number;
  readonly #skip: RawIdTable;
  readonly #found: RawIdTable;
  #states: Uint8Array = new Uint8Array(64);

  constructor(format: ObjectFormat, report: Report, limits: FsckLimits, skip: RawIdTable) {
    this.#format = format;
    this.#report = report;
    this.#maxBlobs = limits.maxSpecialBlobs ?? 262_144;
    this.#maxGitmodulesBytes = limits.maxGitmodulesBytes ?? 8 * 1024 * 1024;
    this.#skip = skip;
    this.#found = new RawIdTable(rawIdLength(format));
  }

  gitmodules(bytes: Uint8Array, idAt: number): void {
    this.#mark(bytes, idAt, GITMODULES);
  }

  gitattributes(bytes: Uint8Array, idAt: number): void {
    this.#mark(bytes, idAt, GITATTRIBUTES);
  }

  #mark(bytes: Uint8Array, idAt: number, kind: number): void {
    const row = this.#found.add(bytes, idAt);
    if (this.#found.count > this.#maxBlobs)
      throw new ObjectsError(
        "objects/limit-exceeded",
        `trees have more than ${this.#maxBlobs} .gitmodules and .gitattributes`,
      );
    if (row === this.#states.length) {
      const grown = new Uint8Array(row * 2);
      grown.set(this.#states);
      this.#states = grown;
    }
    this.#states[row] = (this.#states[row] as number) | kind;
  }

  /** As what the blob in `row` is still to be seen. */
  #due(row: number): number {
    const state = this.#states[row] as number;
    return state & ~(state >> DONE_SHIFT) & (GITMODULES | GITATTRIBUTES);
  }

  #done(row: number): void {
    const state = this.#states[row] as number;
    this.#states[row] = state | (state << DONE_SHIFT);
  }

  /** Whether the blob is one of those, and has not been seen as what it is. */
  wants(rawId: Uint8Array): boolean {
    const row = this.#found.find(rawId);
    return row >= 0 && this.#due(row) !== 0;
  }

  /** Checks a blob that {@link wants} has asked for; the report has begun on it. */
  check(rawId: Uint8Array, data: Uint8Array | undefined): void {
    if (this.#skip.find(rawId) >= 0) return;
    const row = this.#found.find(rawId);
    const due = this.#due(row);
    this.#done(row);
    if ((due & GITMODULES) !== 0) {
      if (data === undefined || data.length > this.#maxGitmodulesBytes)
        this.#report.add("gitmodulesLarge", ".gitmodules too large to parse");
      else checkGitmodules(data, this.#report);
    }
    if ((due & GITATTRIBUTES) !== 0) checkGitattributes(data, this.#report);
  }

  pending(): ObjectId[] {
    const ids: ObjectId[] = [];
    for (let row = 0; row < this.#found.count; row++) {
      const rawId = this.#found.id(row);
      if (this.#due(row) !== 0 && this.#skip.find(rawId) < 0)
        ids.push(objectIdFromBytes(rawId, this.#format));
    }
    return ids;
  }

  checkPending(id: ObjectId, subject: FsckSubject | undefined): readonly FsckFinding[] {
    const rawId = objectIdToBytes(id);
    const row = this.#found.find(rawId);
    if (row < 0) return [];
    const report = this.#report;
    report.begin(subject?.type ?? "blob", rawId, AT_THE_END);
    if (subject?.type === "blob") this.check(rawId, subject.data);
    else {
      const due = this.#due(row);
      if ((due & GITMODULES) !== 0) this.#misplaced("gitmodules", subject);
      if ((due & GITATTRIBUTES) !== 0) this.#misplaced("gitattributes", subject);
      this.#done(row);
    }
    return report.findings;
  }

  #misplaced(name: "gitmodules" | "gitattributes", subject: FsckSubject | undefined): void {
    if (subject === undefined) this.#report.add(`${name}Missing`, `unable to read .${name} blob`);
    else this.#report.add(`${name}Blob`, `non-blob found at .${name}`);
  }
}
