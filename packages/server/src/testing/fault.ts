import { ServiceError, type ServiceErrorCode } from "@x/server-core";
import type { TestRequest } from "./test-request.ts";

/** Statuses of HTTP that a fault can have; over other transports it is the words for the same. */
export type FaultStatus = 401 | 403 | 404 | 413 | 429 | 500 | 503;

/** Something that shall go wrong. */
export type Fault = {
  /** Only where all of these hold; always when not given. */
  readonly when?: Partial<Pick<TestRequest, "transport" | "service" | "repository" | "version" | "mode">>;
  /** How often. Once when not given. An answer that ends before it is cut does not count. */
  readonly times?: number;
} & (
  | {
      /** The answer breaks off after so much of Git's protocol. Over HTTP, 0 is a status of 503. Unit: bytes. */
      readonly cutAfterBytes: number;
    }
  | { readonly status: FaultStatus; readonly retryAfterMs?: number }
  | {
      /** The service is called so much later. Unit: milliseconds. */
      readonly delayMs: number;
    }
);

const CODES: Readonly<Record<FaultStatus, ServiceErrorCode>> = {
  401: "server-core/unauthenticated",
  403: "server-core/forbidden",
  404: "server-core/repository-not-found",
  413: "server-core/limit-exceeded",
  429: "server-core/throttled",
  500: "server-core/internal",
  503: "server-core/busy",
};

/** A place where an answer may break off. */
interface Cut {
  /** Unit: bytes. */
  readonly after: number;
  /** @returns whether it does: another call may have been faster */
  readonly use: () => boolean;
}

/** Faults that are still to come. */
export class Faults {
  readonly #left = new Map<object, { readonly fault: Fault; times: number }>();

  /** @returns takes it back */
  add(fault: Fault): () => void {
    const key = {};
    this.#left.set(key, { fault, times: fault.times ?? 1 });
    return () => void this.#left.delete(key);
  }

  /** What stands before the service. @throws ServiceError where that is a status, or `signal`'s reason */
  async suffer(request: TestRequest, signal: AbortSignal): Promise<void> {
    const found: Fault[] = [];
    for (const [key, { fault }] of this.#left)
      if (!("cutAfterBytes" in fault) && fits(fault, request) && this.#use(key)) found.push(fault);
    for (const fault of found) if ("delayMs" in fault) await sleep(fault.delayMs, signal);
    for (const fault of found)
      if ("status" in fault) {
        const { status, retryAfterMs } = fault;
        throw new ServiceError(CODES[status], `a fault that a test asked for: ${status}`, { retryAfterMs });
      }
  }

  /** Where the answer is to break off; used up only once it gets there. */
  cut(request: TestRequest): Cut | undefined {
    let first: Cut | undefined;
    for (const [key, { fault }] of this.#left)
      if (
        "cutAfterBytes" in fault &&
        fits(fault, request) &&
        !(fault.cutAfterBytes >= (first?.after ?? Infinity))
      )
        first = { after: fault.cutAfterBytes, use: () => this.#use(key) };
    return first;
  }

  #use(key: object): boolean {
    const waiting = this.#left.get(key);
    if (waiting === undefined) return false;
    if (--waiting.times <= 0) this.#left.delete(key);
    return true;
  }
}

function fits({ when = {} }: Fault, request: TestRequest): boolean {
  return Object.entries(when).every(
    ([name, value]) => value === undefined || request[name as keyof TestRequest] === value,
  );
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
