import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

/** How much a line matters. */
export type Priority = "info" | "err";

/** Facility daemon (3) and the severity. Spec: RFC 5424, "PRI". */
const CODES: Readonly<Record<Priority, number>> = { info: 3 * 8 + 6, err: 3 * 8 + 3 };

/** The system's log, by `logger`, the program that comes with it: Node has no way to it of its own. */
export function openSyslog(
  pid: number,
  stderr: Writable,
): { readonly write: (priority: Priority, line: string) => void; readonly close: () => Promise<void> } {
  const program = spawn("logger", ["-t", `git-daemon[${pid}]`, "-p", "daemon.info", "--prio-prefix"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = new Promise<void>((resolve) => {
    program.once("close", () => resolve());
    program.once("error", (cause) => {
      stderr.write(`warning: nothing is logged, for the program 'logger' cannot be run: ${cause.message}\n`);
      resolve();
    });
  });
  program.stdin.on("error", () => {});
  return {
    write: (priority, line) => void program.stdin.write(`<${CODES[priority]}>${line}\n`),
    async close() {
      program.stdin.end();
      await ended;
    },
  };
}
