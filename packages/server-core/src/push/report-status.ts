import type { ObjectId } from "@x/objects";
import { encodePackets, flush, MAX_PAYLOAD_BYTES } from "@x/pktline";
import type { PushCommand } from "../push-hooks.ts";

/** What a proc-receive hook did in a command's place, where that is not what the command says. */
interface RefReport {
  readonly ref?: string | undefined;
  readonly oldId?: ObjectId | undefined;
  readonly newId?: ObjectId | undefined;
  readonly forcedUpdate?: boolean | undefined;
}

/** What became of one command; `error` is git's word for it. */
export interface CommandResult {
  readonly command: PushCommand;
  error: string | undefined;
  /** It is for the proc-receive hook. */
  isForHook: boolean;
  readonly reports: RefReport[];
  /** A deletion of what was not there. */
  didNotExist: boolean;
  /** Its ref has changed, or the hook has seen to it. */
  isDone: boolean;
}

/**
 * The answer to a push: `unpack ok` or why not, then a line for each command in the client's order, flush. In version 2
 * options follow an `ok`. Spec: gitprotocol-pack, "Report Status".
 */
export function formatReport(
  unpack: string,
  results: readonly CommandResult[],
  version: 1 | 2 = 1,
): Uint8Array {
  const lines = [`unpack ${oneLine(unpack)}\n`];
  for (const { command, error, reports } of results) {
    const { ref } = command;
    if (error !== undefined) lines.push(`ng ${ref} ${oneLine(error, MAX_PAYLOAD_BYTES - ref.length - 5)}\n`);
    else if (version === 1 || reports.length === 0) lines.push(`ok ${ref}\n`);
    else for (const report of reports) lines.push(`ok ${ref}\n`, ...options(report));
  }
  return encodePackets([...lines, flush]);
}

function options(report: RefReport): string[] {
  return [
    ...(report.ref === undefined ? [] : [`option refname ${oneLine(report.ref, MAX_NAME)}\n`]),
    ...(report.oldId === undefined ? [] : [`option old-oid ${report.oldId}\n`]),
    ...(report.newId === undefined ? [] : [`option new-oid ${report.newId}\n`]),
    ...(report.forcedUpdate === true ? ["option forced-update\n"] : []),
  ];
}

// Enough for any reason; a ref's name may leave room for less.
const MAX_REASON = 400;
const MAX_NAME = 4096;

function oneLine(text: string, room = MAX_REASON): string {
  const line = text.replace(/[^\x21-\x7e\x80-\xff]+/g, " ").trim();
  return line.slice(0, room === MAX_NAME ? room : Math.min(room, MAX_REASON));
}
