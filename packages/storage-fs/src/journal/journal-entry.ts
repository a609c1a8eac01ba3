import { randomBytes } from "node:crypto";
import { PROCESS_NAME } from "./process-name.ts";

/*
 * Names in the journal directory: <process>-<8 hex digits>.<kind>[.<path>]
 *   hold    a file that was, is or will be the lock of <path>, as a hard link
 *   path    the <path> of the lock with the same digits, when a name cannot hold it
 *   intent  changes of refs that are to be made together
 * <path> is relative to the common directory, with all but letters, digits, "-" and "_" as %xx.
 */

/** What a file in the journal directory is. */
export type EntryKind = "hold" | "path" | "intent";

/** A name in the journal directory. */
export interface JournalEntry {
  readonly name: string;
  /** The process that made it, or took it over. */
  readonly process: string;
  readonly tag: string;
  readonly kind: EntryKind;
  /** A byte path, relative to the common directory. */
  readonly path: string | undefined;
}

/** Stands in for a process that gave a file up. */
export const NOBODY = "0.0.0.0.0";

/** As long as file names may be. Unit: bytes. */
const MAX_NAME_BYTES = 255;

const ENTRY = new RegExp(
  `^(${PROCESS_NAME})-([0-9a-f]{8})\\.(hold|path|intent)(?:\\.((?:[A-Za-z0-9_-]|%[0-9a-f]{2})+))?$`,
);

/** A tag that no other file has. */
export function newTag(): string {
  return randomBytes(4).toString("hex");
}

/** @returns `undefined` when the name cannot hold `path` */
export function formatEntry(
  process: string,
  tag: string,
  kind: EntryKind,
  path?: string,
): string | undefined {
  const name = `${process}-${tag}.${kind}${path === undefined ? "" : `.${encode(path)}`}`;
  return name.length > MAX_NAME_BYTES ? undefined : name;
}

/** @returns `undefined` for a name that is none */
export function parseEntry(name: string): JournalEntry | undefined {
  const match = ENTRY.exec(name);
  if (match === null) return undefined;
  const [, process = "", tag = "", kind = "", path] = match;
  return { name, process, tag, kind: kind as EntryKind, path: path && decode(path) };
}

function encode(path: string): string {
  return path.replace(/[^A-Za-z0-9_-]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function decode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
