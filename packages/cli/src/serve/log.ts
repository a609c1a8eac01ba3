import type { Writable } from "node:stream";
import type { Logger } from "@x/server-core";
import { printable } from "../printable.ts";

/** How much is told: `quiet` errors only, `normal` one line for each request, `verbose` everything. */
export type Verbosity = "quiet" | "normal" | "verbose";

type Fields = Readonly<Record<string, unknown>>;

/** Writes lines for people: time, who, how, what, how it went, and what else is known. */
export function createLogger(
  output: Writable,
  verbosity: Verbosity,
  now: () => Date = () => new Date(),
): Logger {
  const write = (level: string, fields: object, message: string) =>
    void output.write(`${now().toISOString()} ${formatLine(level, fields as Fields, message)}\n`);
  const nothing = () => {};
  return {
    debug: verbosity === "verbose" ? (fields, message) => write("debug", fields, message) : nothing,
    info: verbosity === "quiet" ? nothing : (fields, message) => write("info", fields, message),
    warn: verbosity === "quiet" ? nothing : (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
  };
}

/** Fields of a request that have their place, in this order. */
const PLACED = ["peer", "transport", "service", "repository", "version", "outcome", "ms"] as const;

/** One line without its time and end. Exported for tests. */
export function formatLine(level: string, fields: Fields, message: string): string {
  const rest = new Map(Object.entries(fields));
  const words: string[] = [];
  if (message === "request") {
    for (const name of PLACED) {
      words.push(word(name, rest.get(name)));
      rest.delete(name);
    }
  } else words.push(`${level}: ${printable(message)}`);
  for (const [name, value] of rest) if (value !== undefined) words.push(`${name}=${valueText(value)}`);
  return words.join(" ");
}

function word(name: (typeof PLACED)[number], value: unknown): string {
  if (value === undefined) return "-";
  if (name === "version") return `v${valueText(value)}`;
  return name === "ms" ? `${valueText(value)}ms` : valueText(value);
}

function valueText(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(printable(value.stack ?? value.message));
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "-");
  return /^[^\s"\\]+$/.test(printable(text)) ? text : JSON.stringify(printable(text));
}
