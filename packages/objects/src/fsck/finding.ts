import type { ObjectId } from "../object-id.ts";
import type { ObjectType } from "../object-type.ts";
import type { FsckMessageId } from "./message-ids.ts";

/** What a message comes to: an object with an `error` is refused, a `warn` is only told. */
export type FsckSeverity = "error" | "warn";

/** One thing that is wrong with one object. */
export interface FsckFinding {
  /** `undefined` when git cannot even parse the object: no setting lets it pass. */
  readonly id: FsckMessageId | undefined;
  readonly severity: FsckSeverity;
  readonly objectId: ObjectId;
  readonly objectType: ObjectType;
  /** Git's words, without the id. Byte-exact: one character for each byte, as long as the object makes them. */
  readonly message: string;
  /** What git's own parser says before its fsck speaks, for a tree that cannot be parsed. */
  readonly parserMessage?: string;
  /** Where it is an error: what git dies of, `fsck error in packed object` or `invalid commit`. */
  readonly refusal?: string;
}

/** A line of git's never gets longer. Unit: bytes. */
const MAX_LINE_BYTES = 4095;

/**
 * What C git's receive-pack tells the user of `finding`, without line ends. Byte-exact: one character for each byte.
 * Control characters are masked and long lines cut, as git does. The {@link FsckFinding.refusal} follows as
 * `fatal: …`, once for a push.
 */
export function fsckLines(finding: FsckFinding): string[] {
  const { id, severity, objectId, message, parserMessage } = finding;
  const lines: string[] = [];
  if (parserMessage !== undefined) lines.push(`error: ${parserMessage}`);
  if (id !== undefined)
    lines.push(`${severity === "error" ? "error" : "warning"}: object ${objectId}: ${id}: ${message}`);
  else if (message !== "") lines.push(`error: ${message}`);
  return lines.map(asPrinted);
}

function asPrinted(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
  return line.slice(0, MAX_LINE_BYTES).replace(/[\0-\x08\x0b-\x1f\x7f]/g, "?");
}
