import type { ObjectFormat, ObjectId } from "@x/objects";
import { parseObjectId } from "@x/objects";
import type { RefEdit, ReflogEntry } from "@x/refs";
import type { RefStep } from "./ref-step.ts";

/*
 * xgit refs 1 LF
 * [log SP <committer> TAB <message> LF]
 * (<old id> | absent | any) SP (<new id> | delete) SP <ref> LF   for each
 * end LF
 */

const FIRST = "xgit refs 1";
const LAST = "end";

/** Changes of refs that are to be made together. */
export interface RefIntent {
  readonly edits: readonly RefEdit[];
  readonly reflog: ReflogEntry | undefined;
}

/** What `steps` are about to do. */
export function formatRefIntent(steps: readonly RefStep[], reflog: ReflogEntry | undefined): string {
  const flat = (text: string) => text.replace(/\s+/g, " ");
  const log = reflog === undefined ? [] : [`log ${flat(reflog.committer)}\t${flat(reflog.message)}`];
  const lines = steps.map(({ edit, current }) => {
    const old = current === "special" ? "any" : current === "absent" ? current : current.id;
    return `${old} ${edit.next} ${edit.name}`;
  });
  return `${[FIRST, ...log, ...lines, LAST].join("\n")}\n`;
}

/** @returns `undefined` when it is not whole: then nothing was begun */
export function parseRefIntent(text: string, format: ObjectFormat): RefIntent | undefined {
  const [first, ...lines] = text.split("\n");
  if (first !== FIRST || lines.pop() !== "" || lines.pop() !== LAST) return undefined;
  const log = /^log ([^\t]*)\t(.*)$/.exec(lines[0] ?? "");
  if (log !== null) lines.shift();
  const edits: RefEdit[] = [];
  for (const line of lines) {
    const [, old = "", next = "", name = ""] = /^(\S+) (\S+) (.+)$/.exec(line) ?? [];
    const expected = old === "any" || old === "absent" ? old : idOf(old, format);
    const wanted = next === "delete" ? next : idOf(next, format);
    if (expected === undefined || wanted === undefined) return undefined;
    edits.push({ name, expected, next: wanted });
  }
  const reflog = log === null ? undefined : { committer: log[1] ?? "", message: log[2] ?? "" };
  return { edits, reflog };
}

function idOf(text: string, format: ObjectFormat): ObjectId | undefined {
  return parseObjectId(text, format);
}
