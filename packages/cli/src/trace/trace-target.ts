import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Terminal } from "../terminal.ts";

/** Where the lines of one kind of trace go. */
export interface TraceTarget {
  /** A line, or several, with their ends. What cannot be written is lost: a trace is not worth a fetch. */
  write(text: string): void;
  close(): void;
}

/**
 * Reads the value of a `GIT_TRACE` variable: true or 1 is standard error, a digit an open file, an absolute path a
 * file that is added to. Spec: git, "GIT_TRACE"; api-trace2.
 * @param fileName in a directory, the trace of each process has a file of its own by that name
 * @returns `undefined` when nothing is to be traced
 */
export function openTraceTarget(
  variable: string,
  terminal: Terminal,
  options: { readonly fileName?: string } = {},
): TraceTarget | undefined {
  const value = terminal.env[variable] ?? "";
  if (value === "" || value === "0" || value.toLowerCase() === "false") return undefined;
  if (value === "1" || value.toLowerCase() === "true")
    return { write: (text) => void terminal.stderr.write(text), close: () => {} };
  if (/^[2-9]$/.test(value)) return openFile(Number(value), () => {});
  if (isAbsolute(value)) {
    try {
      const path =
        options.fileName !== undefined && isDirectory(value) ? join(value, options.fileName) : value;
      const descriptor = openSync(path, "a", 0o666);
      return openFile(descriptor, () => closeSync(descriptor));
    } catch (error) {
      terminal.stderr.write(`warning: could not open '${value}' for tracing: ${(error as Error).message}\n`);
      return undefined;
    }
  }
  terminal.stderr.write(`warning: unknown trace value for '${variable}': ${value}\n`);
  return undefined;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function openFile(descriptor: number, close: () => void): TraceTarget {
  return {
    write(text) {
      try {
        writeSync(descriptor, text);
      } catch {
        // The next line may find room again.
      }
    },
    close,
  };
}
