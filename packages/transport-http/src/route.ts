import type { DumbFile, ServiceName } from "@x/server-core";
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
  /** GET or HEAD of a file, as clients of the dumb protocol take it. */
  | { readonly kind: "file"; readonly file: DumbFile; readonly repository: string; readonly head: boolean }
  /** Nothing we serve. `allow` goes with 405. */
  | {
      readonly kind: "refused";
      readonly status: 400 | 403 | 404 | 405;
      readonly text: string;
      readonly allow?: string;
    };

const SERVICES: ReadonlyMap<string, ServiceName> = new Map(
  (["git-upload-pack", "git-receive-pack", "git-upload-archive"] as const).map((name) => [name, name]),
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
  const above = (names: number) => `/${segments.slice(0, -names).join("/")}`;
  if (last === "refs" && segments.at(-2) === "info") return infoRefsRoute(method, query, above(2));
  const service = SERVICES.get(last);
  if (service !== undefined) {
    if (method !== "POST") return notAllowed("POST");
    return { kind: "rpc", service, repository: above(1) };
  }
  const found = fileOf(segments);
  return found === undefined ? NOT_FOUND : fileRoute(method, found.file, above(found.names));
}

/** The file that a path's last names stand for. There are no others: what else lies in a repository stays in it. */
function fileOf(
  segments: readonly string[],
): { readonly file: DumbFile; readonly names: number } | undefined {
  const [last = "", second = "", third = ""] = segments.slice(-3).reverse();
  if (last === "HEAD") return { file: { kind: "head" }, names: 1 };
  if (third !== "objects") return undefined;
  if (second === "info") {
    if (last !== "packs" && last !== "alternates" && last !== "http-alternates") return undefined;
    return { file: { kind: last }, names: 3 };
  }
  if (second === "pack") {
    const [, checksum, ending] = /^pack-([0-9a-f]{40}|[0-9a-f]{64})\.(pack|idx)$/.exec(last) ?? [];
    if (checksum === undefined) return undefined;
    return { file: { kind: ending === "pack" ? "pack" : "pack-index", checksum }, names: 3 };
  }
  if (!/^[0-9a-f]{2}$/.test(second) || !/^(?:[0-9a-f]{38}|[0-9a-f]{62})$/.test(last)) return undefined;
  return { file: { kind: "loose-object", id: second + last }, names: 3 };
}

function fileRoute(method: string, file: DumbFile, repository: string): Route {
  if (method !== "GET" && method !== "HEAD") return notAllowed("GET, HEAD");
  return { kind: "file", file, repository, head: method === "HEAD" };
}

function infoRefsRoute(method: string, query: string, repository: string): Route {
  if (method !== "GET" && method !== "HEAD") return notAllowed("GET, HEAD");
  const named = serviceParameters(query);
  if (named === undefined) return { kind: "refused", status: 400, text: "Bad query string" };
  if (named.length > 1)
    return { kind: "refused", status: 400, text: "More than one service in the query string" };
  const name = named[0];
  if (name === undefined) return fileRoute(method, { kind: "info-refs" }, repository);
  const service = SERVICES.get(name);
  // An archive is asked for at once: there is nothing to announce.
  return service === undefined || service === "git-upload-archive"
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
