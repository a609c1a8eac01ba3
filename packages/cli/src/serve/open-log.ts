import type { Writable } from "node:stream";
import type { Logger } from "@x/server-core";
import type { Terminal } from "../terminal.ts";
import { createLogger, type LineSink, type LogLevel } from "./log.ts";

/** How the log is kept. */
export interface LogSettings {
  readonly level: LogLevel;
  readonly format: "human" | "json";
  /** Standard error when not given. */
  readonly file: string | undefined;
}

/** A log while it is kept. */
export interface OpenLog {
  readonly logger: Logger;
  /** Changes how much is told. */
  setLevel(level: LogLevel): void;
  /** Opens the file anew, after somebody has moved it away. */
  reopen(): void;
  close(): void;
}

/** Opens the log. @throws Node's own error when the file cannot be opened */
export async function openLog({ level, format, file }: LogSettings, terminal: Terminal): Promise<OpenLog> {
  const sink = file === undefined ? undefined : await openLines(file, terminal.stderr);
  const output: LineSink = sink ?? terminal.stderr;
  const rest = { reopen: () => sink?.reopen(), close: () => sink?.close() };
  if (format === "human") {
    let now = level;
    const colors = sink === undefined && showsColors(terminal);
    const logger = createLogger(output, { level: () => now, colors });
    const setLevel = (next: LogLevel) => {
      now = next;
    };
    return { logger, setLevel, ...rest };
  }
  const { pino } = await import("pino");
  const logger = pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: pino.stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => void output.write(line) },
  );
  const setLevel = (next: LogLevel) => {
    logger.level = next;
  };
  return { logger, setLevel, ...rest };
}

/** A file of lines. */
export interface LinesFile extends LineSink {
  reopen(): void;
  close(): void;
}

/** Opens a file to add lines to: each is written before `write` comes back. @throws Node's own error */
export async function openLines(file: string, stderr: Writable): Promise<LinesFile> {
  const { destination } = await import("pino");
  const lines = destination({ dest: file, sync: true, mode: 0o640 });
  // A disk that is full for a while does not end the server.
  lines.on("error", (error: Error) => void stderr.write(`error: ${file}: ${error.message}\n`));
  return {
    write: (text) => lines.write(text),
    reopen: () => lines.reopen(),
    close: () => lines.end(),
  };
}

/** Whether standard error is a terminal whose user likes colours. Spec: no-color.org */
function showsColors({ stderr, env }: Terminal): boolean {
  return "isTTY" in stderr && stderr.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}
