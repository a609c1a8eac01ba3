/** @packageDocumentation The xgit command as a function. */
export { CliError, type CliErrorCode } from "./errors.ts";
export { main } from "./main.ts";
export type { Terminal } from "./terminal.ts";
