import { encodePackets, flush } from "@x/pktline";
import {
  type Credentials,
  type GitService,
  type Logger,
  type Peer,
  type ProtocolVersion,
  protocolVersion,
  type ServiceCall,
  ServiceError,
} from "@x/server-core";
import { answerStream } from "./answer.ts";
import { type Authentication, formatChallenge, parseAuthorization, withoutUserInfo } from "./credentials.ts";
import { type InflateGzip, inflateGzip } from "./inflate-gzip.ts";
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from "./limits.ts";
import { refusalOf } from "./outcome.ts";
import { RequestBody, tooLarge, wireLimitOf } from "./request-body.ts";
import { RequestLog } from "./request-log.ts";
import { NO_CACHE, type Refusal, refusalResponse } from "./response.ts";
import { parseRoute, type Route } from "./route.ts";

/** What {@link createFetchHandler} is told. */
export interface FetchHandlerOptions {
  readonly service: GitService;
  /**
   * Gets a line for each request that never became a call, with `request` as its message and level info. How calls
   * were answered is told as `response`, at level debug unless the fault was found here.
   */
  readonly logger?: Logger | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
  /** Where the repositories' URLs start, decoded: `/git` serves `/git/project.git`. */
  readonly basePath?: string | undefined;
  /** How a client is asked for credentials when the service wants some. */
  readonly authentication?: Authentication | undefined;
  /** In place of our own, where the platform has a quicker one that can be left at any time. */
  readonly inflate?: InflateGzip | undefined;
}

/** What an adapter knows beside the request. */
export interface FetchContext {
  readonly peer?: Peer | undefined;
  /**
   * The target of the request line as it came. Give it wherever it is known: `Request` has already resolved
   * `%2e%2e` and `\` in its URL, so that names which should be refused look harmless.
   */
  readonly rawTarget?: string | undefined;
}

/** Answers one request. Never rejects. Its `Response` has to be read to the end or cancelled. */
export type FetchHandler = (request: Request, context?: FetchContext) => Promise<Response>;

type Served = Exclude<Route, { readonly kind: "refused" }>;

/** Serves `service` over smart HTTP, as git-http-backend does. Spec: gitprotocol-http. */
export function createFetchHandler(options: FetchHandlerOptions): FetchHandler {
  const limits: HttpLimits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const inflate = options.inflate ?? inflateGzip;
  const challenge = formatChallenge(options.authentication);
  return async (request, context = {}) => {
    const head = request.method === "HEAD";
    const peer = context.peer ?? {};
    const target = context.rawTarget ?? targetOf(request.url);
    const log = new RequestLog(options.logger, {
      peer: peer.address,
      transport: "http",
      method: request.method,
    });
    const refuse = (refusal: Refusal): Response => {
      log.add({ status: refusal.status, target: withoutUserInfo(target) });
      log.end({ refused: refusal.text });
      return refusalResponse(refusal, head);
    };
    const route = parseRoute(request.method, target, options.basePath);
    if (route.kind === "refused")
      return refuse({ ...route, headers: route.allow === undefined ? {} : { allow: route.allow } });
    const refusal = route.kind === "rpc" ? refusalOfHeaders(request.headers, route, limits) : undefined;
    if (refusal !== undefined) return refuse(refusal);
    const credentials = parseAuthorization(
      request.headers.get("authorization"),
      limits.maxAuthorizationBytes,
    );
    if (credentials === undefined) return refuse({ status: 400, text: "Bad Authorization header" });
    const version = protocolVersion(request.headers.get("git-protocol") ?? undefined);
    log.add({ service: route.service, repository: route.repository, version });
    const gzip = /gzip/i.test(request.headers.get("content-encoding") ?? "");
    const stream = route.kind === "rpc" ? request.body : null;
    const body = new RequestBody(stream, { service: route.service, gzip, limits, inflate });
    return serve(options.service, { route, version, peer, credentials, challenge, request, body, log });
  };
}

interface Exchange {
  readonly route: Served;
  readonly version: ProtocolVersion;
  readonly peer: Peer;
  readonly credentials: Credentials;
  readonly challenge: string;
  readonly request: Request;
  readonly body: RequestBody;
  readonly log: RequestLog;
}

async function serve(service: GitService, exchange: Exchange): Promise<Response> {
  const { route, version, body, log, request } = exchange;
  const controller = new AbortController();
  const onAbort = () => controller.abort(request.signal.reason);
  request.signal.addEventListener("abort", onAbort, { once: true });
  if (request.signal.aborted) onAbort();
  const end = (error?: unknown) => {
    request.signal.removeEventListener("abort", onAbort);
    body.release();
    log.end({ error, bytesIn: body.bytes });
  };
  const faultOf = (error: unknown) =>
    isReported(error) ? error : (body.fault ?? error ?? new Error("nothing was thrown"));
  const call: ServiceCall = {
    service: route.service,
    repository: route.repository,
    version,
    mode: route.kind,
    transport: "http",
    peer: exchange.peer,
    credentials: exchange.credentials,
    input: body.chunks(),
    signal: controller.signal,
  };
  const head = route.kind === "advertise" && route.head;
  let rest: AsyncIterator<Uint8Array>;
  let first: IteratorResult<Uint8Array>;
  try {
    rest = service(call)[Symbol.asyncIterator]();
    // Until here nothing has been promised: a service that fails now still gets a status of its own.
    first = await rest.next();
    if (body.fault !== undefined) {
      await rest.return?.();
      throw body.fault;
    }
  } catch (error) {
    const fault = faultOf(error);
    if (isReported(fault)) {
      log.add({ status: 200 });
      end(fault);
      return new Response(null, { headers: headersOf(route) });
    }
    const refusal = refusalOf(fault, route.service, exchange.challenge);
    log.add({ status: refusal.status });
    end(fault);
    return refusalResponse(refusal, head);
  }
  log.add({ status: 200 });
  if (head) {
    await rest.return?.().then(undefined, () => {});
    end();
    return new Response(null, { headers: headersOf(route) });
  }
  const stream = answerStream({
    prefix: prefixOf(route, version),
    first,
    rest,
    onCancel: (reason) => controller.abort(reason),
    onEnd: end,
    onChunk: (bytes) => {
      log.bytesOut += bytes;
    },
    faultOf,
  });
  return new Response(stream, { headers: headersOf(route) });
}

/** C git leaves the line out for v2, which is never spoken with receive-pack. */
function prefixOf(route: Served, version: ProtocolVersion): Uint8Array | undefined {
  if (route.kind !== "advertise" || (version === 2 && route.service === "git-upload-pack")) return undefined;
  return encodePackets([`# service=${route.service}\n`, flush]);
}

function headersOf(route: Served): Record<string, string> {
  const what = route.kind === "advertise" ? "advertisement" : "result";
  return {
    ...NO_CACHE,
    "content-type": `application/x-${route.service}-${what}`,
    "x-content-type-options": "nosniff",
  };
}

/** Spec: gitprotocol-http, "Smart Service git-upload-pack": the content type has to match. */
function refusalOfHeaders(headers: Headers, route: Served, limits: HttpLimits): Refusal | undefined {
  if (headers.get("content-type") !== `application/x-${route.service}-request`)
    return { status: 415, text: `Unsupported media type; expected application/x-${route.service}-request` };
  if (!/^(?:identity|gzip|x-gzip)?$/i.test(headers.get("content-encoding") ?? ""))
    return { status: 415, text: "Unsupported content encoding; expected gzip or none" };
  const limit = wireLimitOf(route.service);
  const declared = headers.get("content-length");
  // Only ever compared: nothing is reserved for what a peer announces.
  if (declared !== null && Number(declared) > limits[limit])
    return { status: 413, text: tooLarge(limit, limits).message };
  return undefined;
}

function isReported(error: unknown): boolean {
  return error instanceof ServiceError && error.reported;
}

function targetOf(url: string): string {
  const path = url.indexOf("/", url.indexOf("://") + 3);
  return path === -1 ? "/" : (url.slice(path).split("#", 1)[0] ?? "/");
}
