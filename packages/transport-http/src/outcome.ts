import { PktLineError } from "@x/pktline";
import { ServiceError, type ServiceName } from "@x/server-core";
import { TransportHttpError } from "./errors.ts";
import type { Refusal } from "./response.ts";

/** An error's code, for the log. */
export function outcomeOf(error: unknown): string {
  const known =
    error instanceof PktLineError || error instanceof ServiceError || error instanceof TransportHttpError;
  return known ? error.code : "internal";
}

/**
 * The answer to a request that failed before its first byte of output.
 * @param challenge goes with 401: how a client may say who it is
 */
export function refusalOf(error: unknown, service: ServiceName, challenge: string): Refusal {
  if (error instanceof TransportHttpError) return { status: BODY_STATUS[error.code], text: error.message };
  if (error instanceof PktLineError) return { status: 400, text: `protocol error: ${error.message}` };
  if (!(error instanceof ServiceError)) return INTERNAL;
  switch (error.code) {
    case "server-core/repository-not-found":
      return { status: 404, text: "Repository not found" };
    case "server-core/unauthenticated":
      return {
        status: 401,
        text: "Authentication is required",
        headers: { "www-authenticate": challenge },
      };
    case "server-core/throttled": {
      const seconds = Math.ceil((error.retryAfterMs ?? 30_000) / 1000);
      return { status: 429, text: error.message, headers: { "retry-after": String(seconds) } };
    }
    case "server-core/forbidden":
      return { status: 403, text: error.message };
    case "server-core/service-disabled":
      return { status: 403, text: `Service not enabled: ${service}` };
    case "server-core/repository-unusable":
      return { status: 500, text: error.message };
    case "server-core/protocol":
      return { status: 400, text: error.message };
    case "server-core/refused":
      return { status: 403, text: error.message };
    case "server-core/limit-exceeded":
      return { status: 413, text: error.message };
    case "server-core/busy": {
      const seconds = Math.ceil((error.retryAfterMs ?? 5000) / 1000);
      return { status: 503, text: error.message, headers: { "retry-after": String(seconds) } };
    }
    case "server-core/aborted":
      return { status: 503, text: "The request was called off", headers: { "retry-after": "5" } };
    case "server-core/internal":
      return INTERNAL;
  }
}

/** What a client reads that has had its 200 already; `undefined` when only cutting it off is left. */
export function lateTextOf(error: unknown): string | undefined {
  if (error instanceof PktLineError) return `protocol error: ${error.message}`;
  if (error instanceof TransportHttpError) return error.message;
  if (!(error instanceof ServiceError)) return "internal server error";
  if (error.code === "server-core/aborted") return undefined;
  return error.code === "server-core/internal" ? "internal server error" : error.message;
}

const INTERNAL: Refusal = { status: 500, text: "Internal server error" };

const BODY_STATUS = {
  "transport-http/bad-body": 400,
  "transport-http/body-too-large": 413,
  "transport-http/timeout": 408,
  "transport-http/gone": 400,
  "transport-http/body-taken": 500,
  "transport-http/bad-option": 500,
} as const;
