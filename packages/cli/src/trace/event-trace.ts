import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { ObjectFilter } from "@x/objects";
import type { FetchContext } from "@x/server-core";
import type { TraceTarget } from "./trace-target.ts";

const VERSION = "4";
/** The depth that stands for all, as it is on the wire. */
const INFINITE_DEPTH = 0x7fff_ffff;

/** The name of this process in traces: time, machine and number, after the name of whoever started it. */
export function traceSessionId(parent: string | undefined, pid: number, now: Date = new Date()): string {
  const time = now.toISOString().replace(/[-:]/g, "").replace("Z", "000Z");
  const host = createHash("sha1").update(hostname()).digest("hex").slice(0, 8);
  const own = `${time}-H${host}-P${pid.toString(16).padStart(8, "0")}`;
  return parent === undefined || parent === "" ? own : `${parent}/${own}`;
}

/** Writes events as lines of JSON, as `GIT_TRACE2_EVENT` has it. Spec: api-trace2, "Event Format". */
export class EventTrace {
  readonly #target: TraceTarget;
  readonly #sid: string;
  readonly #started: number = performance.now();

  constructor(target: TraceTarget, sid: string) {
    this.#target = target;
    this.#sid = sid;
  }

  start(exe: string, argv: readonly string[]): void {
    this.#event("version", { evt: VERSION, exe });
    this.#event("start", { t_abs: this.#elapsed(), argv });
  }

  data(category: string, key: string, value: string): void {
    this.#event("data", {
      repo: 1,
      t_abs: this.#elapsed(),
      t_rel: this.#elapsed(),
      nesting: 1,
      category,
      key,
      value,
    });
  }

  /** What is fetched, in the words of C git's upload-pack. */
  fetch({ wants, haves, depth, filter }: FetchContext): void {
    const value = {
      haves: haves.length,
      wants: wants.length,
      depth: depth.depth === undefined ? 0 : Math.min(depth.depth, INFINITE_DEPTH),
      shallows: depth.shallow.length,
      "deepen-since": depth.since !== undefined,
      "deepen-not": depth.not.length,
      "deepen-relative": depth.relative,
      filter: filter === undefined ? null : filterName(filter),
    };
    const times = { repo: 1, t_abs: this.#elapsed(), t_rel: this.#elapsed(), nesting: 1 };
    this.#event("data_json", { ...times, category: "upload-pack", key: "fetch-info", value });
  }

  exit(code: number): void {
    for (const event of ["exit", "atexit"]) this.#event(event, { t_abs: this.#elapsed(), code });
  }

  #event(event: string, fields: object): void {
    const time = new Date().toISOString().replace("Z", "000Z");
    this.#target.write(`${JSON.stringify({ event, sid: this.#sid, thread: "main", time, ...fields })}\n`);
  }

  /** Unit: seconds. */
  #elapsed(): number {
    return Math.round((performance.now() - this.#started) * 1000) / 1_000_000;
  }
}

function filterName(filter: ObjectFilter): string {
  switch (filter.kind) {
    case "blob-none":
      return "blob:none";
    case "blob-limit":
      return "blob:limit";
    case "tree-depth":
      return "tree";
    case "object-type":
      return "object:type";
    case "sparse":
      return "sparse:oid";
    case "combine":
      return "combine";
  }
}
