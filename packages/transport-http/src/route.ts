import type { ServiceName } from "@x/server-core";
import { decodeOnce, decodeSegments } from "./path.ts";

/** What a request is for, from its method and target alone. */
export type Route =
  /** GET or HEAD of info/refs: what the service has to offer. */
  | {
      readonly kind: "advertise";
      readonly service: ServiceName;
      readonly repository: string;
      readonly head: boolean;
    }
  /** POST to a service. */
  | { readonly kind: "rpc"; readonly service: ServiceName; readonly repository: string }
  /** Nothing we serve. `allow` goes with 405. */
  | {
      readonly kind: "refused";
      readonly status: 400 | 403 | 404 | 405;
      readonly text: string;
      readonly allow?: string;
    };

const SERVICES: ReadonlyMap<string, ServiceName> = new Map(
  (["git-upload-pack", "git-receive-pack"] as const).map((name) => [name, name]),
);

/**
 * Finds the route. Pure, and the same for every request: neither headers nor the query decide which service is
 * meant, except `service` on info/refs. Spec: gitprotocol-http, "URL Format" and "Discovering References".
 * @param rawTarget the target of the request line, undecoded: `/project.git/info/refs?service=git-upload-pack`
 * @param basePath decoded names before the repository's, as in `/git`; none when empty
 */
export function parseRoute(method: string, rawTarget: string, basePath = ""): Route {
  const mark = rawTarget.indexOf("?");
  const rawPath = mark === -1 ? rawTarget : rawTarget.slice(0, mark);
  const query = mark === -1 ? "" : rawTarget.slice(mark + 1);
  const segments = withoutBase(decodeSegments(withoutOrigin(rawPath)), basePath);
  const last = segments?.at(-1);
  if (segments === undefined || last === undefined) return NOT_FOUND;
  if (last === "refs" && segments.at(-2) === "info")
    return advertiseRoute(method, query, `/${segments.slice(0, -2).join("/")}`);
  const service = SERVICES.get(last);
  if (service !== undefined) {
    if (method !== "POST") return notAllowed("POST");
    return { kind: "rpc", service, repository: `/${segments.slice(0, -1).join("/")}` };
  }
  return last === "git-upload-archive" ? notEnabled(last) : NOT_FOUND;
}

function advertiseRoute(method: string, query: string, repository: string): Route {
  if (method !== "GET" && method !== "HEAD") return notAllowed("GET, HEAD");
  const named = serviceParameters(query);
  if (named === undefined) return { kind: "refused", status: 400, text: "Bad query string" };
  if (named.length > 1)
    return { kind: "refused", status: 400, text: "More than one service in the query string" };
  const name = named[0];
  if (name === undefined)
    return {
      kind: "refused",
      status: 403,
      text: "Only the smart protocol is served here: ?service= is missing",
    };
  const service = SERVICES.get(name);
  return service === undefined
    ? notEnabled(name)
    : { kind: "advertise", service, repository, head: method === "HEAD" };
}

/** Keys are decoded as well, so that no two readers of the query can see different services. */
function serviceParameters(query: string): string[] | undefined {
  const values: string[] = [];
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    const key = decodeOnce(equals === -1 ? pair : pair.slice(0, equals));
    const value = decodeOnce(equals === -1 ? "" : pair.slice(equals + 1));
    if (key === undefined || value === undefined) return undefined;
    if (key === "service") values.push(value);
  }
  return values;
}

/** `http://host/path`, as proxies send it, is `/path`. */
function withoutOrigin(rawPath: string): string {
  const origin = /^https?:\/\/[^/\\]*/i.exec(rawPath);
  return origin === null ? rawPath : rawPath.slice(origin[0].length);
}

function withoutBase(segments: string[] | undefined, basePath: string): string[] | undefined {
  const base = basePath.split("/").filter((name) => name !== "");
  return base.every((name, i) => segments?.[i] === name) ? segments?.slice(base.length) : undefined;
}

const NOT_FOUND: Route = { kind: "refused", status: 404, text: "Not found" };

function notAllowed(allow: string): Route {
  return { kind: "refused", status: 405, text: `Method not allowed; use ${allow}`, allow };
}

function notEnabled(service: string): Route {
  const known = /^git-[a-z-]{1,40}$/.test(service);
  return {
    kind: "refused",
    status: 403,
    text: known ? `Service not enabled: ${service}` : "Unknown service",
  };
}
