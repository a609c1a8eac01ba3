import { hexIdLength, type ObjectFormat, type ObjectId, rawIdLength } from "../object-id.ts";
import type { ObjectType } from "../object-type.ts";
import { checkCommit, commitParseError } from "./check-commit.ts";
import { checkTag, tagParseError } from "./check-tag.ts";
import { TreeCheck } from "./check-tree.ts";
import type { FsckFinding, FsckSeverity } from "./finding.ts";
import { type FsckMessageId, fsckLevels } from "./message-ids.ts";
import { RawIdTable } from "./raw-id-table.ts";
import { Report } from "./report.ts";
import { SpecialBlobCheck } from "./special-blobs.ts";
import { TreeNames } from "./tree-names.ts";

/** How objects are to be checked. Plain data: it can be posted to a worker. */
export interface FsckOptions {
  readonly format: ObjectFormat;
  /** What messages come to, where not as by default: see `parseFsckConfig` and {@link relaxedFsckSeverities}. */
  readonly severities?: ReadonlyMap<FsckMessageId, FsckSeverity | "ignore"> | undefined;
  /** Raw ids, one after the other, of objects of which nothing is told: see `parseFsckSkipList`. */
  readonly skip?: Uint8Array | undefined;
  /** A longer name is a `largePathname`; 4,096 when not given. Unit: bytes. */
  readonly maxPathnameBytes?: number | undefined;
  /**
   * Tells what is wrong with a commit or tag that git cannot parse, as `git hash-object` does; otherwise such an object
   * is refused whatever the settings say, as `git index-pack --strict` does.
   */
  readonly explainUnparsable?: boolean | undefined;
  readonly limits?: FsckLimits | undefined;
}

/** What a check may cost. */
export interface FsckLimits {
  /** Blobs at `.gitmodules` and `.gitattributes` that trees lead to; 262,144 when not given. Each costs up to 100 bytes. */
  readonly maxSpecialBlobs?: number;
  /** A longer `.gitmodules` is a `gitmodulesLarge`; 8 MiB when not given. Unit: bytes. */
  readonly maxGitmodulesBytes?: number;
  /** What is told of one object; 100 when not given. An error among more is told in any case. */
  readonly maxFindingsPerObject?: number;
}

/** What {@link Fsck.checkPending} gets to see. */
export interface FsckSubject {
  readonly type: ObjectType;
  /** `undefined` when it is too long to be held, which is told as such. */
  readonly data: Uint8Array | undefined;
}

/**
 * Checks objects one by one, in any order, as git does what it receives. Holds none of them, only the ids of blobs that
 * are still to be seen.
 */
export interface Fsck {
  /**
   * Checks the object `bytes[start … end)` with the raw id `rawId`; both are read before this returns only. Blobs need
   * not be given: those that matter are {@link pending} in the end. Commits, trees and tags have to be given whole: one
   * that is too long for that is to be refused by a limit of the caller's. Given twice, an object is checked twice.
   * @returns what is wrong, in git's order; errors are among it when one has a `refusal`
   * @throws ObjectsError `objects/limit-exceeded` (`maxSpecialBlobs`)
   */
  check(
    type: ObjectType,
    rawId: Uint8Array,
    bytes: Uint8Array,
    start?: number,
    end?: number,
  ): readonly FsckFinding[];

  /**
   * Blobs that stand at a `.gitmodules` or `.gitattributes` and have not been seen: to be read, wherever they are, when
   * all objects have come, and given to {@link checkPending} one by one.
   */
  pending(): ObjectId[];

  /**
   * Checks one of {@link pending}; `subject` is `undefined` when it does not exist, which `git unpack-objects --strict`
   * refuses as `gitmodulesMissing` and `git index-pack --strict` as an object it did not receive. Leave out what a
   * promisor has.
   */
  checkPending(id: ObjectId, subject: FsckSubject | undefined): readonly FsckFinding[];
}

/** Spec: git-fsck; git-config, `receive.fsckObjects`. */
export function createFsck(options: FsckOptions): Fsck {
  return new ObjectCheck(options);
}

const NOTHING: readonly FsckFinding[] = [];
const IN_PACK = "fsck error in packed object";

class ObjectCheck implements Fsck {
  readonly #hexLength: number;
  readonly #explain: boolean;
  readonly #report: Report;
  readonly #trees: TreeCheck;
  readonly #blobs: SpecialBlobCheck;

  constructor(options: FsckOptions) {
    const { format, severities, limits = {}, maxPathnameBytes = 4096 } = options;
    const idLength = rawIdLength(format);
    const skip = skipTable(options.skip, idLength);
    this.#hexLength = hexIdLength(format);
    this.#explain = options.explainUnparsable === true;
    this.#report = new Report({
      format,
      severity: (id) => severityOf(id, severities),
      skips: (rawId) => skip.find(rawId) >= 0,
      maxFindings: limits.maxFindingsPerObject ?? 100,
    });
    this.#blobs = new SpecialBlobCheck(format, this.#report, limits, skip);
    this.#trees = new TreeCheck(
      idLength,
      maxPathnameBytes,
      this.#report,
      new TreeNames(this.#report, this.#blobs),
    );
  }

  check(
    type: ObjectType,
    rawId: Uint8Array,
    bytes: Uint8Array,
    start: number = 0,
    end: number = bytes.length,
  ): readonly FsckFinding[] {
    if (type === "blob" && !this.#blobs.wants(rawId)) return NOTHING;
    const report = this.#report;
    report.begin(type, rawId, IN_PACK);
    if (type === "tree") this.#trees.check(bytes, start, end);
    else if (type === "blob") this.#blobs.check(rawId, bytes.subarray(start, end));
    else {
      const check = type === "commit" ? checkCommit : checkTag;
      check(bytes, start, end, this.#hexLength, report);
      // What fsck has nothing against can be parsed.
      if (report.touched && !this.#explain) this.#parse(type, bytes, start, end);
    }
    return report.findings;
  }

  #parse(type: "commit" | "tag", bytes: Uint8Array, start: number, end: number): void {
    const parse = type === "commit" ? commitParseError : tagParseError;
    const problem = parse(bytes, start, end, this.#hexLength);
    if (problem === undefined) return;
    this.#report.unparsable(problem === "" ? "" : `${problem} ${this.#report.objectId}`);
  }

  pending(): ObjectId[] {
    return this.#blobs.pending();
  }

  checkPending(id: ObjectId, subject: FsckSubject | undefined): readonly FsckFinding[] {
    return this.#blobs.checkPending(id, subject);
  }
}

/** In strict checks what would be a warning is an error, and only what is no more than information stays a warning. */
function severityOf(id: FsckMessageId, severities: FsckOptions["severities"]): FsckSeverity | undefined {
  const set = severities?.get(id);
  const level = fsckLevels[id];
  if (set === undefined) return level === "ignore" ? undefined : level === "info" ? "warn" : "error";
  if (level === "fatal") return "error";
  return set === "ignore" ? undefined : set;
}

function skipTable(skip: Uint8Array | undefined, idLength: number): RawIdTable {
  const table = new RawIdTable(idLength);
  for (let at = 0; skip !== undefined && at < skip.length; at += idLength) table.add(skip, at);
  return table;
}
