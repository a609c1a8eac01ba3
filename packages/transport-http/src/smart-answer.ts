import { encodePackets, flush } from "@x/pktline";
import {
  type Credentials,
  type GitService,
  type ProtocolVersion,
  type ServiceCall,
  ServiceError,
} from "@x/server-core";
import { answerBody } from "./answer-body.ts";
import type { HttpAnswer, HttpRequest } from "./http-message.ts";
import { refusalOf } from "./outcome.ts";
import type { RequestBody } from "./request-body.ts";
import type { RequestLog } from "./request-log.ts";
import { NO_CACHE, refusalAnswer } from "./response.ts";
import type { Route } from "./route.ts";

/** A route that leads to a service. */
export type SmartRoute = Extract<Route, { readonly kind: "advertise" | "rpc" }>;

/** One call of a service over HTTP. */
export interface SmartExchange {
  readonly route: SmartRoute;
  readonly version: ProtocolVersion;
  readonly request: HttpRequest;
  readonly credentials: Credentials;
  readonly challenge: string;
  readonly vet: ServiceCall["vet"];
  readonly body: RequestBody;
  readonly log: RequestLog;
}

/** Calls the service. Until its first chunk nothing is promised: one that fails before gets a status of its own. */
export async function smartAnswer(service: GitService, exchange: SmartExchange): Promise<HttpAnswer> {
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
    transport: request.scheme ?? "http",
    peer: request.peer,
    credentials: exchange.credentials,
    vet: exchange.vet,
    input: body.chunks(),
    signal: controller.signal,
    mayBeGone: request.mayBeGone,
    lend: request.lend,
  };
  const head = route.kind === "advertise" && route.head;
  let rest: AsyncIterator<Uint8Array>;
  let first: IteratorResult<Uint8Array>;
  try {
    rest = service(call)[Symbol.asyncIterator]();
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
      return { status: 200, headers: headersOf(route), body: undefined };
    }
    const refusal = refusalOf(fault, route.service, exchange.challenge);
    log.add({ status: refusal.status });
    end(fault);
    return refusalAnswer(refusal, head);
  }
  log.add({ status: 200 });
  if (head) {
    await rest.return?.().then(undefined, () => {});
    end();
    return { status: 200, headers: headersOf(route), body: undefined };
  }
  const onChunk = (bytes: number) => {
    log.bytesOut += bytes;
  };
  const onLeave = () => controller.abort(new ServiceError("server-core/aborted", "the client went away"));
  const prefix = prefixOf(route, version);
  return {
    status: 200,
    headers: headersOf(route),
    body: answerBody({ prefix, first, rest, onLeave, onEnd: end, onChunk, faultOf }),
  };
}

/** C git leaves the line out for v2, which is never spoken with receive-pack. */
function prefixOf(route: SmartRoute, version: ProtocolVersion): Uint8Array | undefined {
  if (route.kind !== "advertise" || (version === 2 && route.service === "git-upload-pack")) return undefined;
  return encodePackets([`# service=${route.service}\n`, flush]);
}

function headersOf(route: SmartRoute): Record<string, string> {
  const what = route.kind === "advertise" ? "advertisement" : "result";
  return { ...NO_CACHE, "content-type": `application/x-${route.service}-${what}` };
}

function isReported(error: unknown): boolean {
  return error instanceof ServiceError && error.reported;
}
