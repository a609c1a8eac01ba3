import type { Readable, Writable } from "node:stream";

/** What a command has of the world: nothing else reads the process. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls back for each SIGINT and SIGTERM, with 128 and the signal's number. Gives a function that stops that. */
  readonly onSignal: (callback: (status: number) => void) => () => void;
  /** Calls back for each SIGHUP. Gives a function that stops that. */
  readonly onHangUp?: (callback: () => void) => () => void;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  return {
    stdin,
    stdout,
    stderr,
    env,
    onSignal(callback) {
      const interrupt = () => callback(130);
      const terminate = () => callback(143);
      process.on("SIGINT", interrupt).on("SIGTERM", terminate);
      return () => void process.off("SIGINT", interrupt).off("SIGTERM", terminate);
    },
    onHangUp(callback) {
      process.on("SIGHUP", callback);
      return () => void process.off("SIGHUP", callback);
    },
  };
}
