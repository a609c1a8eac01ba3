import type { Logger } from "@x/server-core";
import { printable } from "../printable.ts";

/** What is told, and all that is worse. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Where lines go. */
export interface LineSink {
  write(text: string): unknown;
}

/** What {@link createLogger} is told. */
export interface HumanLogOptions {
  /** Asked for each line, for it may change. */
  readonly level: () => LogLevel;
  /** Paint for a terminal. */
  readonly colors?: boolean;
  readonly now?: () => Date;
}

type Fields = Readonly<Record<string, unknown>>;

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** What a terminal shows of a level: errors red, warnings yellow, the rest of a line's head dim. */
const PAINT: Readonly<Record<LogLevel, string>> = {
  debug: "\u001b[2m",
  info: "",
  warn: "\u001b[33m",
  error: "\u001b[31m",
};

/** Writes lines for people: time, who, how, what, how it went, and what else is known. */
export function createLogger(output: LineSink, options: HumanLogOptions): Logger {
  const { level, colors = false, now = () => new Date() } = options;
  const write = (at: LogLevel) => (fields: object, message: string) => {
    if (RANK[at] < RANK[level()]) return;
    const time = now().toISOString();
    const line = formatLine(at, fields as Fields, message);
    if (!colors) output.write(`${time} ${line}\n`);
    else output.write(`\u001b[2m${time}\u001b[0m ${PAINT[at]}${line}${PAINT[at] && "\u001b[0m"}\n`);
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
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
  // JSON of itself says where it ends.
  if (typeof value !== "string") return printable(JSON.stringify(value) ?? "-");
  return /^[^\s"\\]+$/.test(printable(value)) ? value : JSON.stringify(printable(value));
}
