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
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #options: RequestBodyOptions;
  #wireBytes = 0;
  #fault: TransportHttpError | undefined;

  constructor(body: ReadableStream<Uint8Array> | null, options: RequestBodyOptions) {
    this.#options = options;
    if (body !== null)
      this.#reader = (options.gzip ? options.inflate(this.#counted(body)) : body).getReader();
  }

  /** How many came over the wire. */
  get bytes(): number {
    return this.#wireBytes;
  }

  /** Why reading failed, if it did. What the service throws may be another wording of it. */
  get fault(): TransportHttpError | undefined {
    return this.#fault;
  }

  /** @throws TransportHttpError bad-body, body-too-large, timeout, gone */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { gzip, limits } = this.#options;
    let inflated = 0;
    for (;;) {
      const chunk = await this.#read();
      if (chunk === undefined) return;
      inflated += chunk.length;
      if (!gzip) this.#count(chunk);
      else if (inflated > limits.maxInflatedBytes) throw this.#fail(tooLarge("maxInflatedBytes", limits));
      yield chunk;
    }
  }

  /** Reads no further. */
  release(): void {
    this.#reader?.cancel().catch(() => {});
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      return (await this.#reader?.read())?.value;
    } catch (cause) {
      if (cause instanceof TransportHttpError) throw this.#fail(cause);
      throw this.#fail(
        this.#options.gzip
          ? new TransportHttpError("transport-http/bad-body", "the body is not a whole gzip stream", {
              cause,
            })
          : endedEarly(cause),
      );
    }
  }

  #count(chunk: Uint8Array): void {
    this.#wireBytes += chunk.length;
    const name = wireLimitOf(this.#options.service);
    if (this.#wireBytes > this.#options.limits[name]) throw this.#fail(tooLarge(name, this.#options.limits));
  }

  #counted(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          // A body that breaks is not a gzip stream that is damaged: the first fault is the one to tell.
          const { done, value } = await reader.read().catch((cause: unknown) => {
            throw this.#fail(cause instanceof TransportHttpError ? cause : endedEarly(cause));
          });
          if (done) return controller.close();
          this.#count(value);
          controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  #fail(fault: TransportHttpError): TransportHttpError {
    this.#fault ??= fault;
    return this.#fault;
  }
}

function endedEarly(cause: unknown): TransportHttpError {
  return new TransportHttpError("transport-http/gone", "the body ended early", { cause });
}

type WireLimit = "maxFetchRequestBytes" | "maxPushRequestBytes";

/** The limit that holds for a service's body on the wire. */
export function wireLimitOf(service: ServiceName): WireLimit {
  return service === "git-receive-pack" ? "maxPushRequestBytes" : "maxFetchRequestBytes";
}

/** The error for a body that exceeds the limit `name`. */
export function tooLarge(name: keyof HttpLimits, limits: HttpLimits): TransportHttpError {
  const message = `the request body exceeds ${name} (${limits[name]} bytes)`;
  return new TransportHttpError("transport-http/body-too-large", message);
}
