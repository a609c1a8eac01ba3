import type { Writable } from "node:stream";
import type { Logger } from "@x/server-core";
import { printable } from "../printable.ts";
import type { LogDestination } from "./daemon-options.ts";
import { openSyslog, type Priority } from "./syslog.ts";

/** The log of `xgit daemon`: lines as git-daemon writes them. */
export interface DaemonLog {
  /** What is told with `--verbose` only. */
  readonly info: (line: string) => void;
  readonly error: (line: string) => void;
  /** What the packages tell, in such lines. */
  readonly logger: Logger;
  /** Waits until all of it is out. */
  readonly close: () => Promise<void>;
}

/** Opens the log. */
export function openDaemonLog(
  destination: LogDestination,
  options: { readonly verbose: boolean; readonly stderr: Writable; readonly pid: number },
): DaemonLog {
  const { verbose, stderr, pid } = options;
  const sink = destination === "syslog" ? openSyslog(pid, stderr) : undefined;
  const write = (priority: Priority, line: string): void => {
    if (sink !== undefined) sink.write(priority, printable(line));
    else if (destination === "stderr") stderr.write(`[${pid}] ${printable(line)}\n`);
  };
  const info = (line: string): void => {
    if (verbose) write("info", line);
  };
  const error = (line: string): void => write("err", line);
  return { info, error, logger: loggerOf({ info, error }), close: async () => sink?.close() };
}

type Fields = Readonly<Record<string, unknown>>;

function loggerOf({ info, error }: Pick<DaemonLog, "info" | "error">): Logger {
  const about = (fields: object, message: string): void => {
    const known = fields as Fields;
    if (message === "opened") info(`Connection from ${bracketed(known.peer)}:${known.port ?? "?"}`);
    else if (message === "asked") tellRequest(known, info);
    else if (message === "connection")
      info(known.outcome === "ok" ? "Disconnected" : "Disconnected (with error)");
    else if (message === "request") {
      const reason = reasonOf(known);
      if (reason !== undefined) error(reason);
      // What never became a call has no line of its own for its end.
      if (known.mode === undefined) info("Disconnected (with error)");
    } else info(`${message}${detailsOf(known)}`);
  };
  return {
    debug: about,
    info: about,
    warn: (fields, message) =>
      message === "request"
        ? about(fields, message)
        : error(`warning: ${message}${detailsOf(fields as Fields)}`),
    error: (fields, message) => {
      const { error: cause } = fields as Fields;
      error(`error: ${message}: ${cause instanceof Error ? (cause.stack ?? cause.message) : ""}`);
    },
  };
}

function tellRequest(fields: Fields, info: (line: string) => void): void {
  const { host, port, parameters, service, path } = fields;
  if (typeof host === "string")
    info(`Extended attribute "host": ${host}${port === undefined ? "" : `:${port}`}`);
  if (Array.isArray(parameters) && parameters.length > 0)
    info(`Extended attribute "protocol": ${parameters.join(":")}`);
  info(`Request ${String(service).replace(/^git-/, "")} for '${path}'`);
}

/** These have been told of where they were found out. */
const TOLD: ReadonlySet<unknown> = new Set(["server-core/repository-not-found"]);

function reasonOf({ outcome, reason, service }: Fields): string | undefined {
  if (outcome === "ok" || outcome === "left" || TOLD.has(outcome)) return undefined;
  if (outcome === "server-core/service-disabled" && reason !== TOLD_ALREADY)
    return `'${String(service).replace(/^git-/, "")}': service not enabled.`;
  return outcome === "server-core/service-disabled" ? undefined : `fatal: ${reason ?? outcome}`;
}

/** The reason of a refusal that the log knows. */
export const TOLD_ALREADY = "service not enabled";

function detailsOf(fields: Fields): string {
  const words = Object.entries(fields).filter(([, value]) => value !== undefined);
  return words.map(([name, value]) => ` ${name}=${value instanceof Error ? value.message : value}`).join("");
}

function bracketed(address: unknown): string {
  const text = String(address ?? "");
  return text.includes(":") ? `[${text}]` : text;
}
