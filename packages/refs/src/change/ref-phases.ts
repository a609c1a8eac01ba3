import type { RefChangePhase, StagedRefChange, TransactOptions } from "../ref-store.ts";

/** Somebody who was told of a phase did not want it; the cause is what was thrown. */
export class CalledOff extends Error {
  override readonly name = "CalledOff";
}

/**
 * Tells of the phases of a transaction as C git's files backend runs the hook: what becomes of packed-refs is a
 * transaction of its own inside. Spec: githooks, "reference-transaction".
 */
export class RefPhases {
  readonly #onPhase: TransactOptions["onPhase"];
  readonly #changes: readonly StagedRefChange[];
  readonly #warn: (message: string) => void;
  #packed: readonly StagedRefChange[] = [];

  constructor(
    onPhase: TransactOptions["onPhase"],
    changes: readonly StagedRefChange[],
    warn: (message: string) => void,
  ) {
    this.#onPhase = onPhase;
    this.#changes = changes;
    this.#warn = warn;
  }

  /** @throws CalledOff */
  preparing(): Promise<void> {
    return this.#enter("preparing", this.#changes);
  }

  /** @throws CalledOff */
  prepared(): Promise<void> {
    return this.#enter("prepared", this.#changes);
  }

  /** packed-refs is locked, for refs that are to go; `isNeeded` when it holds one of them. @throws CalledOff */
  async packedLocked(names: readonly string[], isNeeded: boolean): Promise<void> {
    const changes = names.map((name): StagedRefChange => ({ name, from: undefined, to: "absent" }));
    if (!isNeeded) return this.#tell("aborted", changes);
    await this.#enter("preparing", changes);
    await this.#enter("prepared", changes);
    this.#packed = changes;
  }

  /** packed-refs is written anew. */
  async packedCommitted(): Promise<void> {
    if (this.#packed.length > 0) await this.#tell("committed", this.#packed);
  }

  committed(): Promise<void> {
    return this.#tell("committed", this.#changes);
  }

  async #enter(phase: RefChangePhase, changes: readonly StagedRefChange[]): Promise<void> {
    try {
      await this.#onPhase?.(phase, changes);
    } catch (cause) {
      const packed = changes === this.#changes ? this.#packed : changes;
      if (packed.length > 0) await this.#tell("aborted", packed);
      await this.#tell("aborted", this.#changes);
      throw new CalledOff("the transaction was called off", { cause });
    }
  }

  /** Tells of what cannot be changed any more. */
  async #tell(phase: RefChangePhase, changes: readonly StagedRefChange[]): Promise<void> {
    try {
      await this.#onPhase?.(phase, changes);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#warn(`who was told that refs are ${phase} failed: ${reason}`);
    }
  }
}
