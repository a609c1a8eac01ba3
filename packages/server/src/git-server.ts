import {
  createGitServices,
  type DumbService,
  type GitService,
  type GitServiceOptions,
  type GitServices,
} from "@x/server-core";
import {
  createFetchHandler,
  type FetchContext,
  type FetchHandler,
  type FetchHandlerOptions,
} from "@x/transport-http";
import { contextOf } from "./platform-context.ts";
import { RunningCalls } from "./running-calls.ts";

/** What a server is made of: repositories, who may do what, hooks, limits, a logger; and how it speaks HTTP. */
export interface GitServerOptions extends GitServiceOptions {
  /** Base path, CORS, limits and what else is HTTP's own. */
  readonly http?: Omit<FetchHandlerOptions, "service" | "dumb" | "logger"> | undefined;
}

/** A Git server that listens to nothing by itself. */
export interface GitServer {
  /**
   * Answers one HTTP request, and never rejects. `export default { fetch: git.fetch }` makes a Worker; `Bun.serve`,
   * `Deno.serve` and frameworks take it as it is.
   * @param platform what the runtime passes beside it, or a `FetchContext`: the client's address is taken from it
   */
  readonly fetch: (request: Request, platform?: FetchContext | object) => Promise<Response>;
  /** The same for adapters that have no `Request`: see `toNodeListener` of `@x/transport-http/node`. */
  readonly answer: FetchHandler["answer"];
  /** For transports that are not HTTP. */
  readonly service: GitService;
  /** Files for dumb transports. */
  readonly dumb: DumbService;
  /**
   * Refuses new requests and waits for those that run. After `graceMs` (0 when not given) they are called off, and hear
   * of it.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Makes a server for any runtime. Without `authorize` everybody may fetch and nobody may push, unless `services` says
 * more.
 * @throws TransportHttpError `transport-http/bad-option`
 */
export function createGitServer(options: GitServerOptions): GitServer {
  return assembleServer(options, (services) => services);
}

/** @param around may stand between the services and whoever calls them */
export function assembleServer(
  options: GitServerOptions,
  around: (services: GitServices) => GitServices,
): GitServer {
  const { http, ...rest } = options;
  const services = around(createGitServices(rest));
  const calls = new RunningCalls();
  const service = calls.track(services.service);
  const dumb = calls.trackFiles(services.dumb);
  const handler = createFetchHandler({ ...http, service, dumb, logger: options.logger });
  return {
    service,
    dumb,
    answer: (request) => (calls.closing ? CLOSING : handler.answer(request)),
    fetch: async (request, platform) => {
      if (!calls.closing) return handler(request, contextOf(request, platform));
      const { status, headers, body } = await CLOSING;
      return new Response(body as Uint8Array<ArrayBuffer>, { status, headers });
    },
    close: ({ graceMs = 0 } = {}) => calls.close(graceMs),
  };
}

/** Another server may be there by then. */
const CLOSING: ReturnType<FetchHandler["answer"]> = Promise.resolve({
  status: 503,
  headers: { "content-type": "text/plain", "retry-after": "1" },
  body: new TextEncoder().encode("the server is shutting down\n"),
});
