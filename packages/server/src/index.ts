/** @packageDocumentation A Git server in one call, for any runtime. */
export { createGitServer, type GitServer, type GitServerOptions } from "./git-server.ts";
