import { TransportHttpError } from "./errors.ts";
import type { HttpAnswer, HttpRequest } from "./http-message.ts";

/** Which web pages may use a handler from a browser. */
export interface CorsOptions {
  /** Origins as browsers write them, `https://example.com`; `*` for all. */
  readonly origins: "*" | readonly string[] | ((origin: string) => boolean);
  /** Pages may have their users' cookies and passwords sent along. Never with `*`. */
  readonly credentials?: boolean | undefined;
  /** For how long a browser need not ask again; 86,400 when not given. Unit: seconds. */
  readonly maxAgeSeconds?: number | undefined;
}

/** Headers of git clients that a browser asks about. */
const ALLOWED_HEADERS =
  "Accept, Authorization, Content-Encoding, Content-Type, Git-Protocol, If-Modified-Since, If-None-Match, If-Range, Range";
const EXPOSED_HEADERS =
  "Accept-Ranges, Content-Length, Content-Range, ETag, Last-Modified, Retry-After, WWW-Authenticate";

/** The rules of one handler. Spec: Fetch standard, "HTTP CORS protocol". */
export interface Cors {
  /** The answer to a browser that asks before it sends; `undefined` for any other request. */
  preflight(request: HttpRequest, allow: string): HttpAnswer | undefined;
  /** What any other answer has to say beside the rest. */
  headersFor(request: HttpRequest): Readonly<Record<string, string>>;
}

/** @throws TransportHttpError `transport-http/bad-option`: credentials for every page there is */
export function createCors(options: CorsOptions): Cors {
  const { origins, credentials = false, maxAgeSeconds = 86_400 } = options;
  const everyone = origins === "*" || (typeof origins !== "function" && origins.includes("*"));
  if (credentials && everyone)
    throw new TransportHttpError(
      "transport-http/bad-option",
      "cors: credentials need origins by name, not *",
    );
  const isAllowed = (origin: string): boolean =>
    everyone || (typeof origins === "function" ? origins(origin) : origins.includes(origin));

  const headersFor = (request: HttpRequest): Record<string, string> => {
    const origin = request.header("origin");
    // Caches have to tell answers to different pages apart.
    if (origin === undefined || !isAllowed(origin)) return { vary: "Origin" };
    return {
      vary: "Origin",
      "access-control-allow-origin": everyone ? "*" : origin,
      "access-control-expose-headers": EXPOSED_HEADERS,
      ...(credentials && { "access-control-allow-credentials": "true" }),
    };
  };

  return {
    headersFor,
    preflight(request, allow) {
      const isPreflight =
        request.method === "OPTIONS" &&
        request.header("origin") !== undefined &&
        request.header("access-control-request-method") !== undefined;
      if (!isPreflight) return undefined;
      const { "access-control-expose-headers": _, ...headers } = headersFor(request);
      if (headers["access-control-allow-origin"] === undefined)
        return { status: 403, headers: { ...headers, "content-length": "0" }, body: undefined };
      return {
        status: 204,
        headers: {
          ...headers,
          "access-control-allow-methods": allow,
          "access-control-allow-headers": ALLOWED_HEADERS,
          "access-control-max-age": String(maxAgeSeconds),
        },
        body: undefined,
      };
    },
  };
}
