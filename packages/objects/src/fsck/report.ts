import { type ObjectFormat, type ObjectId, objectIdFromBytes } from "../object-id.ts";
import type { ObjectType } from "../object-type.ts";
import type { FsckFinding, FsckSeverity } from "./finding.ts";
import type { FsckMessageId } from "./message-ids.ts";

const NOTHING: readonly FsckFinding[] = [];

/** What a report judges by. */
export interface Judgement {
  readonly format: ObjectFormat;
  /** `undefined` for what is not told. */
  severity(id: FsckMessageId): FsckSeverity | undefined;
  skips(rawId: Uint8Array): boolean;
  /** Findings kept of one object; more would say nothing new. */
  readonly maxFindings: number;
}

/** Gathers what is wrong with one object after the other, and costs nothing while nothing is. */
export class Report {
  readonly #judgement: Judgement;
  #type: ObjectType = "blob";
  #rawId: Uint8Array = new Uint8Array(0);
  #objectId: ObjectId | undefined;
  #skipped = false;
  #findings: FsckFinding[] | undefined;
  #failed = false;
  #refusal = "";

  constructor(judgement: Judgement) {
    this.#judgement = judgement;
  }

  /** Starts on an object. Its id is read when something is wrong with it. */
  begin(type: ObjectType, rawId: Uint8Array, refusal: string): void {
    this.#type = type;
    this.#rawId = rawId;
    this.#refusal = refusal;
    this.#objectId = undefined;
    this.#findings = undefined;
    this.#failed = false;
  }

  /** Whether anything was reported of the object, even if it is to be ignored. */
  get touched(): boolean {
    return this.#objectId !== undefined;
  }

  /** Whether the object is refused and nothing more will be told of it. */
  get full(): boolean {
    return this.#failed && (this.#findings?.length ?? 0) >= this.#judgement.maxFindings;
  }

  get findings(): readonly FsckFinding[] {
    return this.#findings ?? NOTHING;
  }

  /** The id of the object at hand. */
  get objectId(): ObjectId {
    if (this.#objectId === undefined) {
      this.#objectId = objectIdFromBytes(this.#rawId, this.#judgement.format);
      this.#skipped = this.#judgement.skips(this.#rawId);
    }
    return this.#objectId;
  }

  /** @returns whether it is an error, at which most checks stop */
  add(id: FsckMessageId, message: string, parserMessage?: string): boolean {
    const { objectId } = this;
    const severity = this.#skipped ? undefined : this.#judgement.severity(id);
    if (severity === undefined) return false;
    const isError = severity === "error";
    this.#findings ??= [];
    // One error must come through, however many warnings were before it.
    if (this.#findings.length >= this.#judgement.maxFindings) {
      if (!isError || this.#failed) return isError;
      this.#findings.pop();
    }
    this.#failed ||= isError;
    this.#findings.push({
      id,
      severity,
      objectId,
      objectType: this.#type,
      message,
      ...(parserMessage === undefined ? {} : { parserMessage }),
      ...(isError ? { refusal: this.#refusal } : {}),
    });
    return isError;
  }

  /** The object cannot be parsed: nothing else matters. */
  unparsable(message: string): void {
    const finding = { id: undefined, severity: "error", message } as const;
    const { objectId } = this;
    const objectType = this.#type;
    this.#findings = [{ ...finding, objectId, objectType, refusal: `invalid ${objectType}` }];
  }
}
