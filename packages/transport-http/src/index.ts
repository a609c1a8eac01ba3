/** @packageDocumentation HTTP for Git as one function from `Request` to `Response`, on any runtime. */
export type { HttpHandlerOptions } from "./answer-request.ts";
export type { CorsOptions } from "./cors.ts";
export type { Authentication } from "./credentials.ts";
export { TransportHttpError, type TransportHttpErrorCode } from "./errors.ts";
export {
  createFetchHandler,
  type FetchContext,
  type FetchHandler,
  type FetchHandlerOptions,
} from "./fetch-handler.ts";
export type { AnswerRequest, HttpAnswer, HttpRequest } from "./http-message.ts";
export type { InflateGzip } from "./inflate-gzip.ts";
export { DEFAULT_HTTP_LIMITS, type HttpLimits } from "./limits.ts";
export type { HttpAccess } from "./repository-rules.ts";
export { parseRoute, type Route } from "./route.ts";
