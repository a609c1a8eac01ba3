import type { Command } from "commander";
import type { Terminal } from "../terminal.ts";

/** What commands run with. */
interface CommandContext {
  readonly terminal: Terminal;
  /** Takes the exit status, when it is not 0. */
  readonly setStatus: (status: number) => void;
}

/** Adds one command to `program`: its flags, its manual, and what it does. */
export type AddCommand = (program: Command, context: CommandContext) => void;
