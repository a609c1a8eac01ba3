import type { ServiceName } from "@x/server-core";
import { TransportHttpError } from "./errors.ts";
import type { InflateGzip } from "./inflate-gzip.ts";
import type { HttpLimits } from "./limits.ts";

/** What {@link RequestBody} is told. */
export interface RequestBodyOptions {
  readonly service: ServiceName;
  readonly gzip: boolean;
  readonly limits: HttpLimits;
  readonly inflate: InflateGzip;
}

/** A request's body as a service reads it: inflated and within limits. One consumer. */
export class RequestBody {
  readonly #source: AsyncIterator<Uint8Array> | undefined;
  readonly #options: RequestBodyOptions;
  #maxWireBytes: number;
  #wireBytes = 0;
  #fault: TransportHttpError | undefined;

  constructor(body: AsyncIterable<Uint8Array> | undefined, options: RequestBodyOptions) {
    this.#options = options;
    this.#maxWireBytes = options.limits[wireLimitOf(options.service)];
    this.#source = body?.[Symbol.asyncIterator]();
  }

  /** How many came over the wire. */
  get bytes(): number {
    return this.#wireBytes;
  }

  /** Why reading failed, if it did. What the service throws may be another wording of it. */
  get fault(): TransportHttpError | undefined {
    return this.#fault;
  }

  /** Puts another limit in the place of the one on the wire, before anything is read. */
  limitTo(maxWireBytes: number): void {
    this.#maxWireBytes = maxWireBytes;
  }

  /** @throws TransportHttpError bad-body, body-too-large, timeout, gone */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { gzip, limits, inflate } = this.#options;
    if (!gzip) return yield* this.#counted();
    let inflated = 0;
    try {
      for await (const chunk of inflate(this.#counted())) {
        inflated += chunk.length;
        if (inflated > limits.maxInflatedBytes) throw tooLarge("maxInflatedBytes", limits.maxInflatedBytes);
        yield chunk;
      }
    } catch (cause) {
      // A body that breaks is not a gzip stream that is damaged: the first fault is the one to tell.
      if (cause instanceof TransportHttpError) throw this.#fail(cause);
      const message = "the body is not a whole gzip stream";
      throw this.#fail(new TransportHttpError("transport-http/bad-body", message, { cause }));
    }
  }

  /** Reads no further. */
  release(): void {
    this.#source?.return?.().then(undefined, () => {});
  }

  async *#counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = await this.#read();
      if (chunk === undefined) return;
      this.#wireBytes += chunk.length;
      if (this.#wireBytes > this.#maxWireBytes)
        throw this.#fail(tooLarge(wireLimitOf(this.#options.service), this.#maxWireBytes));
      yield chunk;
    }
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      const result = await this.#source?.next();
      return result === undefined || result.done === true ? undefined : result.value;
    } catch (cause) {
      if (cause instanceof TransportHttpError) throw this.#fail(cause);
      throw this.#fail(new TransportHttpError("transport-http/gone", "the body ended early", { cause }));
    }
  }

  #fail(fault: TransportHttpError): TransportHttpError {
    this.#fault ??= fault;
    return this.#fault;
  }
}

type WireLimit = "maxFetchRequestBytes" | "maxPushRequestBytes";

/** The limit that holds for a service's body on the wire. */
export function wireLimitOf(service: ServiceName): WireLimit {
  return service === "git-receive-pack" ? "maxPushRequestBytes" : "maxFetchRequestBytes";
}

/** The error for a body that exceeds the limit `name`. */
export function tooLarge(name: keyof HttpLimits, value: number): TransportHttpError {
  const message = `the request body exceeds ${name} (${value} bytes)`;
  return new TransportHttpError("transport-http/body-too-large", message);
}
