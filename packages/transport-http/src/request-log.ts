import type { Logger } from "@x/server-core";
import { outcomeOf } from "./outcome.ts";

/**
 * One request's line in the log, filled in while it is served. A service logs its own calls: these lines say how they
 * were answered, and what never became a call.
 */
export class RequestLog {
  readonly #logger: Logger | undefined;
  readonly #fields: Record<string, unknown>;
  readonly #started: number = performance.now();
  #written = false;
  bytesOut = 0;

  constructor(logger: Logger | undefined, fields: Readonly<Record<string, unknown>>) {
    this.#logger = logger;
    this.#fields = { ...fields };
  }

  add(fields: Readonly<Record<string, unknown>>): void {
    Object.assign(this.#fields, fields);
  }

  /** Writes the line. Only the first call counts. */
  end(outcome: { readonly error?: unknown; readonly refused?: string; readonly bytesIn?: number }): void {
    if (this.#written) return;
    this.#written = true;
    const { error, refused, bytesIn = 0 } = outcome;
    if (this.#logger === undefined) return;
    const word = refused !== undefined ? "refused" : error === undefined ? "ok" : outcomeOf(error);
    const fields = {
      ...this.#fields,
      outcome: word,
      reason: refused ?? (error instanceof Error ? error.message : undefined),
      ms: Math.round(performance.now() - this.#started),
      bytesIn,
      bytesOut: this.bytesOut,
    };
    if (word === "internal") this.#logger.error({ ...fields, error }, "response");
    else if (word === "refused") this.#logger.info(fields, "request");
    else if (word.startsWith("transport-http/") && word !== "transport-http/gone")
      this.#logger.info(fields, "response");
    else this.#logger.debug(fields, "response");
  }
}
