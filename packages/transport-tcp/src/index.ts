/** @packageDocumentation The git:// transport for Node: plain TCP, one request per connection. */
export { TransportTcpError, type TransportTcpErrorCode } from "./errors.ts";
export { DEFAULT_TCP_LIMITS, type TcpLimits } from "./limits.ts";
export { formatRequestLine, parseRequestLine, type RequestLine } from "./request-line.ts";
export { createTcpGitServer, GIT_PORT, type TcpGitServer, type TcpGitServerOptions } from "./server.ts";
