import type { PackReceipt, PackSummary } from "@x/objects";
import type { ServiceErrorCode } from "./errors.ts";
import type { ProtocolVersion, ServiceName } from "./service.ts";

/** What figures of a call are kept apart by. Nothing here names a repository or a client: such series have no end. */
export interface CallLabels {
  readonly service: ServiceName;
  readonly transport: string;
  /** `dumb`: a file. */
  readonly version: ProtocolVersion | "dumb";
}

/**
 * A connection that a transport has turned away. `full`: there are as many as there may be. `address`: its address has as
 * many as one may have. `displaced`: it was open, and had to make room for another. `early`, `early-address`: the same as
 * the first two, of those that have not said who they are.
 */
export interface RefusalLabels {
  readonly transport: string;
  readonly reason: "full" | "address" | "displaced" | "early" | "early-address";
}

/**
 * What a call's time goes into. `authorize` and `resolve`: before anything is said. `negotiate`: a fetch, from its request
 * to the order for its pack. `queue`: waiting until a pack or an
 * archive may be made, or a pack taken in. `count`: from the order to the pack's first bytes.
 * `send`: from there to its last. `receive`: a pushed pack comes in. `index`: it is completed, checked and kept aside.
 * `connectivity`: what it leads to is looked at. `publish`: it is kept for good. `refs`: refs change. `hooks`: hooks of a
 * push are asked or told.
 */
export type CallPhase =
  | "authorize"
  | "resolve"
  | "negotiate"
  | "queue"
  | "count"
  | "send"
  | "receive"
  | "index"
  | "connectivity"
  | "publish"
  | "refs"
  | "hooks";

/** How a call ended. */
export interface CallResult {
  /** `left`: the client did before the end. `server-core/busy`: it was turned away. */
  readonly outcome: "ok" | "left" | ServiceErrorCode;
  /** Unit: milliseconds. */
  readonly ms: number;
  /** From the start to the first byte of an answer; `undefined` when there was none. Unit: milliseconds. */
  readonly firstByteMs: number | undefined;
  /** Unit: bytes. */
  readonly bytesIn: number;
  /** Unit: bytes. */
  readonly bytesOut: number;
}

/** Hears of one call. Its functions are called in passing: they must be quick, and never throw. */
export interface CallMetrics {
  /** A phase is over; some come several times. Unit: milliseconds. */
  phase(phase: CallPhase, ms: number): void;
  /** It waits in a queue (1), or no longer (-1). */
  waiting(change: 1 | -1): void;
  /** A pack was made and sent. */
  packSent(summary: PackSummary): void;
  /** A pack was taken in. */
  packTaken(receipt: PackReceipt): void;
  /** It is over. Once, and last. */
  end(result: CallResult): void;
}

/** Hears of all calls: what counts them, times them or traces them. */
export interface Metrics {
  /** A call begins. Must not throw. */
  call(labels: CallLabels): CallMetrics;
  /** A connection was turned away. Called by transports that are given this. Must not throw. */
  readonly connectionRefused?: ((labels: RefusalLabels) => void) | undefined;
}

/** Nobody hears. */
export const NO_METRICS: Metrics = {
  call: () => ({ phase() {}, waiting() {}, packSent() {}, packTaken() {}, end() {} }),
};

/** Times a phase. @returns ends it, once */
export function startPhase(metrics: Pick<CallMetrics, "phase">, phase: CallPhase): () => void {
  const started = performance.now();
  let over = false;
  return () => {
    if (over) return;
    over = true;
    metrics.phase(phase, performance.now() - started);
  };
}

/** Times what `work` does. */
export async function timed<T>(
  metrics: Pick<CallMetrics, "phase">,
  phase: CallPhase,
  work: () => Promise<T>,
): Promise<T> {
  const end = startPhase(metrics, phase);
  try {
    return await work();
  } finally {
    end();
  }
}
