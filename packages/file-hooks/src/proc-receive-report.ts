import { type ObjectFormat, type ObjectId, parseObjectId } from "@x/objects";
import { isValidRefName } from "@x/refs";
import type { ProcReceiveAnswer } from "@x/server-core";

type Done = {
  -readonly [K in keyof Extract<ProcReceiveAnswer, { status: "done" }>]: Extract<
    ProcReceiveAnswer,
    { status: "done" }
  >[K];
};

interface Answer {
  /** `ok` was said. */
  ok: boolean;
  reason: string | undefined;
  fallThrough: boolean;
  readonly done: Done[];
}

/** Complaints that are told; a hook may make any number of mistakes. */
const MAX_COMPLAINTS = 20;

/**
 * Reads what a proc-receive hook answers, a line for each packet, as C git does: a line that makes no sense fails the
 * hook, and what else it says counts all the same. Spec: githooks, "proc-receive".
 */
export class ProcReceiveReport {
  readonly #format: ObjectFormat;
  readonly #answers: Map<string, Answer> = new Map();
  readonly #complaints: string[] = [];
  #current: Answer | undefined;
  /** `option` lines go here; an `ok` alone opens no report. */
  #report: Done | undefined;
  #strayOption = false;

  constructor(format: ObjectFormat) {
    this.#format = format;
  }

  /** What was wrong with it so far. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  /** @param line without its line feed, one character for each byte */
  readLine(line: string): void {
    const at = line.indexOf(" ");
    if (at === -1) {
      this.#complain(`proc-receive reported incomplete status line: '${line}'`);
      return;
    }
    const [head, rest] = [line.slice(0, at), line.slice(at + 1)];
    if (head === "option") this.#readOption(rest);
    else this.#readStatus(head, rest);
  }

  /** By ref, those too that nobody asked about. */
  answers(): Map<string, readonly ProcReceiveAnswer[]> {
    const found = new Map<string, readonly ProcReceiveAnswer[]>();
    for (const [ref, { ok, reason, fallThrough, done }] of this.#answers) {
      if (reason !== undefined) found.set(ref, [{ status: "refused", reason }]);
      else if (fallThrough) found.set(ref, [{ status: "fall-through" }]);
      else if (ok) found.set(ref, done.length > 0 ? done : [{ status: "done" }]);
    }
    return found;
  }

  #readStatus(head: string, rest: string): void {
    this.#report = undefined;
    this.#current = undefined;
    const at = rest.indexOf(" ");
    const ref = at === -1 ? rest : rest.slice(0, at);
    if (head !== "ok" && head !== "ng") {
      this.#complain(`proc-receive reported bad status '${head}' on ref '${ref}'`);
      return;
    }
    // The server knows what it asked about.
    const answer = this.#answers.get(ref) ?? { ok: false, reason: undefined, fallThrough: false, done: [] };
    this.#answers.set(ref, answer);
    if (head === "ng") {
      answer.reason = at === -1 || at === rest.length - 1 ? "failed" : rest.slice(at + 1);
      return;
    }
    answer.ok = true;
    this.#current = answer;
  }

  #readOption(text: string): void {
    const answer = this.#current;
    if (answer === undefined) {
      if (!this.#strayOption)
        this.#complain("proc-receive reported 'option' without a matching 'ok/ng' directive");
      this.#strayOption = true;
      return;
    }
    if (this.#report === undefined) {
      this.#report = { status: "done" };
      answer.done.push(this.#report);
    }
    const at = text.indexOf(" ");
    const key = at === -1 ? text : text.slice(0, at);
    const value = at === -1 ? undefined : text.slice(at + 1);
    if (key === "refname") this.#setRef(this.#report, value);
    else if (key === "old-oid") this.#report.oldId = this.#id(value) ?? this.#report.oldId;
    else if (key === "new-oid") this.#report.newId = this.#id(value) ?? this.#report.newId;
    else if (key === "forced-update") this.#report.forcedUpdate = true;
    else if (key === "fall-through") answer.fallThrough = true;
  }

  #setRef(report: Done, name: string | undefined): void {
    // It goes into the report to the client.
    if (name === undefined || !isValidRefName(name))
      this.#complain(`proc-receive reported bad refname '${name ?? ""}'`);
    else report.ref = name;
  }

  #id(text: string | undefined): ObjectId | undefined {
    return text === undefined ? undefined : parseObjectId(text, this.#format);
  }

  #complain(text: string): void {
    if (this.#complaints.length < MAX_COMPLAINTS) this.#complaints.push(text);
  }
}
