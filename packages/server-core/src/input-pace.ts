/** How long a client may make a connection wait. Read anew at each wait. */
export interface InputPatience {
  /** It may be silent that long. Unit: milliseconds. */
  readonly readIdleMs: number;
  /** It may be waited for that long in all, and another second for each `minBytesPerSecond` that came. Unit: milliseconds. */
  readonly slowGraceMs: number;
  readonly minBytesPerSecond: number;
}

/**
 * Adds up how long a client was waited for: who sends a byte now and then is not idle, but holds a connection all the same.
 * Time in which nobody waits is not the client's.
 */
export class InputPace {
  readonly #patience: InputPatience;
  #bytes = 0;
  #waitedMs = 0;

  constructor(patience: InputPatience) {
    this.#patience = patience;
  }

  /** So much has come. Unit: bytes. */
  came(bytes: number): void {
    this.#bytes += bytes;
  }

  /** The client was waited for. Unit: milliseconds. */
  waited(ms: number): void {
    this.#waitedMs += ms;
  }

  /** How long the next wait may take, and what there is to say of a client that takes longer. Unit: milliseconds. */
  nextWait(): { readonly ms: number; readonly why: string } {
    const { readIdleMs, slowGraceMs, minBytesPerSecond } = this.#patience;
    const graceMs = slowGraceMs + (this.#bytes / minBytesPerSecond) * 1000 - this.#waitedMs;
    if (graceMs >= readIdleMs)
      return { ms: readIdleMs, why: `the client did not send anything for ${readIdleMs} ms` };
    return { ms: Math.max(0, graceMs), why: `the client sent less than ${minBytesPerSecond} bytes a second` };
  }
}
