import {
  type DumbService,
  type GitService,
  type Logger,
  protocolVersion,
  type ServiceCall,
} from "@x/server-core";
import { type Cors, type CorsOptions, createCors } from "./cors.ts";
import { type Authentication, formatChallenge, parseAuthorization, withoutUserInfo } from "./credentials.ts";
import { dumbAnswer } from "./dumb-answer.ts";
import type { AnswerRequest, HttpAnswer, HttpRequest } from "./http-message.ts";
import { type InflateGzip, inflateGzip } from "./inflate-gzip.ts";
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from "./limits.ts";
import { type HttpAccess, requestBufferOf, vetAccess } from "./repository-rules.ts";
import { RequestBody, tooLarge, wireLimitOf } from "./request-body.ts";
import { RequestLog } from "./request-log.ts";
import { type Refusal, refusalAnswer } from "./response.ts";
import { parseRoute, type Route } from "./route.ts";
import { type SmartRoute, smartAnswer } from "./smart-answer.ts";

/** What {@link createAnswerRequest} is told. */
export interface HttpHandlerOptions {
  readonly service: GitService;
  /** Serves files to clients of the dumb protocol too. Without it there is only the smart one. */
  readonly dumb?: DumbService | undefined;
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
  /** Lets web pages of other origins in. None when not given. */
  readonly cors?: CorsOptions | undefined;
  /**
   * What is on where a repository's `http.*` settings do not say, for clients whose name nobody knows; all when not
   * given. The service itself may allow less.
   */
  readonly anonymous?: readonly HttpAccess[] | undefined;
  /**
   * How long a request to fetch may be, whatever a repository's `http.maxRequestBuffer` says, which can otherwise lower
   * `maxFetchRequestBytes`. Unit: bytes.
   */
  readonly maxRequestBuffer?: number | undefined;
  /** The clock that `Expires` goes by. Default: the system's. Unit: milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

interface Settings extends HttpHandlerOptions {
  readonly limits: HttpLimits;
  readonly inflate: InflateGzip;
  readonly anonymous: readonly HttpAccess[];
  readonly now: () => number;
  readonly challenge: string;
}

const EVERYTHING: readonly HttpAccess[] = [
  "git-upload-pack",
  "git-receive-pack",
  "git-upload-archive",
  "files",
];

/**
 * Serves HTTP as git-http-backend does, for any platform.
 * @throws TransportHttpError `transport-http/bad-option`
 * Spec: gitprotocol-http; git-http-backend.
 */
export function createAnswerRequest(options: HttpHandlerOptions): AnswerRequest {
  const settings: Settings = {
    ...options,
    limits: { ...DEFAULT_HTTP_LIMITS, ...options.limits },
    inflate: options.inflate ?? inflateGzip,
    anonymous: options.anonymous ?? EVERYTHING,
    now: options.now ?? Date.now,
    challenge: formatChallenge(options.authentication),
  };
  const cors = options.cors && createCors(options.cors);
  if (cors === undefined) return (request) => answerRoute(settings, request);
  return async (request) => {
    const early = preflight(cors, settings, request);
    if (early !== undefined) return early;
    const answer = await answerRoute(settings, request);
    return { ...answer, headers: { ...answer.headers, ...cors.headersFor(request) } };
  };
}

/** Only where there is something to ask for. */
function preflight(cors: Cors, { basePath }: Settings, request: HttpRequest): HttpAnswer | undefined {
  const method = request.header("access-control-request-method") ?? "";
  const route = parseRoute(method, request.target, basePath);
  if (route.kind === "refused" && route.status === 404) return undefined;
  return cors.preflight(request, "GET, HEAD, POST");
}

async function answerRoute(settings: Settings, request: HttpRequest): Promise<HttpAnswer> {
  const { limits, inflate, dumb, challenge } = settings;
  const { method, target } = request;
  const { peer, scheme: transport = "http" } = request;
  const log = new RequestLog(settings.logger, { peer: peer.address, transport, method });
  const refuse = (refusal: Refusal): HttpAnswer => {
    log.add({ status: refusal.status, target: withoutUserInfo(target) });
    log.end({ refused: refusal.text });
    return refusalAnswer(refusal, method === "HEAD");
  };
  const route = parseRoute(method, target, settings.basePath);
  if (route.kind === "refused") return refuse(refusalOfRoute(route, request.protocol));
  const refusal = route.kind === "rpc" ? refusalOfHeaders(request, route, settings) : undefined;
  if (refusal !== undefined) return refuse(refusal);
  const credentials = parseAuthorization(
    request.header("authorization") ?? null,
    limits.maxAuthorizationBytes,
  );
  if (credentials === undefined) return refuse({ status: 400, text: "Bad Authorization header" });
  if (route.kind === "file") {
    if (dumb === undefined) return refuse(WITHOUT_FILES[route.file.kind === "info-refs" ? "refs" : "file"]);
    const vet: ServiceCall["vet"] = (repository, peer) =>
      vetAccess(repository, peer, "files", settings.anonymous);
    log.add({ file: route.file.kind, repository: route.repository });
    return dumbAnswer(dumb, { route, request, credentials, challenge, vet, log, now: settings.now });
  }
  const { service, repository } = route;
  const version = protocolVersion(request.header("git-protocol"));
  log.add({ service, repository, version });
  const gzip = /gzip/i.test(request.header("content-encoding") ?? "");
  const stream = route.kind === "rpc" ? request.body : undefined;
  const body = new RequestBody(stream, { service, gzip, limits, inflate });
  const vet: ServiceCall["vet"] = (found, peer) => {
    vetAccess(found, peer, service, settings.anonymous);
    if (service === "git-receive-pack") return;
    const own = requestBufferOf(found) ?? limits.maxFetchRequestBytes;
    body.limitTo(settings.maxRequestBuffer ?? Math.min(own, limits.maxFetchRequestBytes));
  };
  return smartAnswer(settings.service, { route, version, request, credentials, challenge, vet, body, log });
}

const WITHOUT_FILES: Readonly<Record<"refs" | "file", Refusal>> = {
  refs: { status: 403, text: "Only the smart protocol is served here: ?service= is missing" },
  file: { status: 404, text: "Not found" },
};

/** Spec: git-http-backend: whoever speaks HTTP/1.0 has no word for a method that is not allowed. */
function refusalOfRoute(
  route: Extract<Route, { readonly kind: "refused" }>,
  protocol: string | undefined,
): Refusal {
  if (route.allow === undefined) return route;
  if (protocol === "HTTP/1.0" || protocol === "HTTP/0.9") return { status: 400, text: route.text };
  return { ...route, headers: { allow: route.allow } };
}

/** Spec: gitprotocol-http, "Smart Service git-upload-pack": the content type has to match. */
function refusalOfHeaders(
  { header }: HttpRequest,
  { service }: SmartRoute,
  { limits, maxRequestBuffer }: Settings,
): Refusal | undefined {
  const [expected, given = ""] = [`application/x-${service}-request`, header("content-type")];
  if (given !== expected) {
    const text = `Expected POST with Content-Type '${expected}', but received '${given.slice(0, 200)}' instead.`;
    return { status: 415, text };
  }
  if (!/^(?:identity|gzip|x-gzip)?$/i.test(header("content-encoding") ?? ""))
    return { status: 415, text: "Unsupported content encoding; expected gzip or none" };
  const name = wireLimitOf(service);
  const limit = (name === "maxFetchRequestBytes" ? maxRequestBuffer : undefined) ?? limits[name];
  const declared = header("content-length");
  // Only ever compared: nothing is reserved for what a peer announces.
  if (declared !== undefined && Number(declared) > limit)
    return { status: 413, text: tooLarge(name, limit).message };
  return undefined;
}
