/** @packageDocumentation The git:// transport for Node: plain TCP, one request per connection. */
export { TransportTcpError, type TransportTcpErrorCode } from "./errors.ts";
export { DEFAULT_TCP_LIMITS, type TcpLimits } from "./limits.ts";
export type { ListenAddress } from "./listen.ts";
export { formatRequestLine, parseRequestLine, type RequestLine } from "./request-line.ts";
export { type ConnectionOptions, type Ends, serveConnection } from "./serve-connection.ts";
export {
  createTcpGitServer,
  GIT_PORT,
  type TcpGitServer,
  type TcpGitServerOptions,
  type TcpListening,
} from "./server.ts";
export type { AccessHook } from "./session.ts";
