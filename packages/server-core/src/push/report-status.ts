import { encodePackets, flush, MAX_PAYLOAD_BYTES } from "@x/pktline";
import type { PushCommand } from "../push-hooks.ts";

/** What became of one command; `error` is git's word for it. */
export interface CommandResult {
  readonly command: PushCommand;
  error: string | undefined;
}

/**
 * The answer to a push: `unpack ok` or why not, then a line for each command in the client's order, flush.
 * Spec: gitprotocol-pack, "Report Status".
 */
export function formatReport(unpack: string, results: readonly CommandResult[]): Uint8Array {
  return encodePackets([
    `unpack ${oneLine(unpack)}\n`,
    ...results.map(({ command, error }) =>
      error === undefined
        ? `ok ${command.ref}\n`
        : `ng ${command.ref} ${oneLine(error, MAX_PAYLOAD_BYTES - command.ref.length - 5)}\n`,
    ),
    flush,
  ]);
}

// Enough for any reason; a ref's name may leave room for less.
const MAX_REASON = 400;

function oneLine(text: string, room = MAX_REASON): string {
  const line = text.replace(/[^\x21-\x7e\x80-\xff]+/g, " ").trim();
  return line.slice(0, Math.min(room, MAX_REASON));
}
