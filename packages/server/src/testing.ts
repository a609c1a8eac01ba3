/** @packageDocumentation A Git server for tests of what talks to one: it remembers what it was asked, and fails when told to. */
export type { Fault, FaultStatus } from "./testing/fault.ts";
export type { TestRequest } from "./testing/test-request.ts";
export { createTestGitServer, type TestGitServer } from "./testing/test-server.ts";
