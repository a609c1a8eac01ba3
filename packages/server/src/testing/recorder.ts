import {
  type DumbService,
  type FetchContext,
  type GitService,
  type Hooks,
  type PushContext,
  type ServiceCall,
  ServiceError,
} from "@x/server-core";
import type { Faults } from "./fault.ts";
import type { OpenRequest, TestRequest } from "./test-request.ts";

/** The oldest are forgotten above this. */
const MAX_REMEMBERED = 10_000;

/** Unit: milliseconds. */
const FLUSHED_MS = 20;

/** Stands between a server and its services. */
export class Recorder {
  readonly requests: TestRequest[] = [];
  readonly #faults: Faults;
  /** Of calls that run, by the signal that their services have: nothing else of a call gets to its hooks as it was. */
  readonly #open = new WeakMap<AbortSignal, OpenRequest>();
  /** The request of HTTP that is being looked at: it gets to its service, if at all, without a wait. */
  #current: OpenRequest | undefined;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** Remembers what is asked of HTTP, whether a service hears of it or not. */
  async http<T extends { readonly status: number }>(
    about: Pick<OpenRequest, "transport" | "method" | "target">,
    answer: () => Promise<T>,
  ): Promise<T> {
    const request = this.#add({ ...about, bytesOut: 0, outcome: "running" });
    this.#current = request;
    const answering = answer();
    this.#current = undefined;
    const given = await answering;
    request.status = given.status;
    if (request.service === undefined) request.outcome = "refused";
    return given;
  }

  service(next: GitService): GitService {
    return (call) => this.#serve(next, call, this.#enter(call, call.version, call.mode));
  }

  dumb(next: DumbService): DumbService {
    return async (call) => {
      const request = this.#enter({ ...call, service: "git-upload-pack" }, undefined, "file");
      try {
        await this.#faults.suffer(request, call.signal);
        const content = await next(call);
        request.outcome = "ok";
        request.bytesOut = content?.size ?? 0;
        return content;
      } catch (error) {
        request.outcome = codeOf(error);
        throw error;
      }
    };
  }

  /** What calls are about. */
  readonly hooks: Hooks = {
    preFetch: async (context) => this.#hearFetch(context),
    prePush: async (context) => this.#hearPush(context),
  };

  async *#serve(
    next: GitService,
    call: ServiceCall,
    request: OpenRequest,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const signal = AbortSignal.any([call.signal]);
    this.#open.set(signal, request);
    request.outcome = "left";
    try {
      await this.#faults.suffer(request, signal);
      const cut = this.#faults.cut(request);
      if (cut?.after === 0 && cut.use()) throw cutOff(call);
      let left = cut?.after ?? Number.POSITIVE_INFINITY;
      for await (const chunk of next({ ...call, signal })) {
        const isCut = chunk.length >= left && cut?.use() === true;
        const bytes = isCut ? chunk.subarray(0, left) : chunk;
        left -= bytes.length;
        request.bytesOut += bytes.length;
        yield bytes;
        if (!isCut) continue;
        await flushed();
        throw cutOff(call);
      }
      request.outcome = "ok";
    } catch (error) {
      request.outcome = call.signal.aborted ? "left" : codeOf(error);
      throw error;
    }
  }

  #enter(
    call: Pick<ServiceCall, "transport" | "service" | "repository" | "credentials">,
    version: OpenRequest["version"],
    mode: OpenRequest["mode"],
  ): OpenRequest {
    const { transport, service, repository, credentials = { kind: "anonymous" } } = call;
    const request = this.#current ?? this.#add({ transport, bytesOut: 0, outcome: "running" });
    return Object.assign(request, {
      service,
      repository: repository.replace(/^\//, "").replace(/\.git$/, ""),
      version,
      mode,
      credentials: credentials.kind,
      user: "user" in credentials ? credentials.user : undefined,
    });
  }

  #add(request: OpenRequest): OpenRequest {
    if (this.requests.length >= MAX_REMEMBERED) this.requests.shift();
    this.requests.push(request);
    return request;
  }

  #hearFetch({ call, wants, depth, filter }: FetchContext): undefined {
    const request = this.#open.get(call.signal);
    if (request === undefined) return;
    request.wants = wants.map(({ id }) => id);
    request.depth = depth.depth;
    request.filter = filter?.kind;
  }

  #hearPush({ call, commands }: PushContext): undefined {
    const request = this.#open.get(call.signal);
    if (request !== undefined) request.commands = commands;
  }
}

/**
 * What was sent has left by then, on this machine. A client that has nothing yet of an answer on a connection that served
 * before asks again by itself, and knows of no fault.
 */
function flushed(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, FLUSHED_MS));
}

/** Whatever may still be said where nothing is broken off would not look like a break. */
function cutOff({ transport }: ServiceCall): ServiceError {
  const reported = !/^https?$/.test(transport);
  return new ServiceError("server-core/aborted", "cut off by a fault that a test asked for", { reported });
}

function codeOf(error: unknown): ServiceError["code"] {
  return error instanceof ServiceError ? error.code : "server-core/internal";
}
