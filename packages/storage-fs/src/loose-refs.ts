import { setImmediate as letOthersRun } from "node:timers/promises";
import type { ObjectId } from "@x/objects";
import type { Ref } from "@x/refs";
import { type LooseScan, LooseScanner, type LooseScanRequest } from "./loose-scan.ts";

/** Does a scan, in another thread if need be. */
export type ScanLooseRefs = (
  request: LooseScanRequest,
  signal: AbortSignal | undefined,
) => Promise<LooseScan>;

/** Listings that are remembered, each with the refs it gave. */
const MAX_LISTINGS = 4;
/** Refs that are remembered for one listing; longer ones are made anew. */
const MAX_KNOWN_REFS = 50_000;
/** Lines read without a pause: some five milliseconds. */
const LINES_PER_TURN = 8192;
/** A scan in the thread that asks pauses after this. Unit: milliseconds. */
const SLICE_MS = 5;

/** The loose refs that a listing found, and what tells them from others. */
export interface LooseListing {
  readonly serial: string;
  /** In byte order of names. */
  readonly refs: readonly Ref[];
}

/** Lists loose refs; what has not changed is not made again. */
export class LooseRefs {
  readonly #where: Pick<LooseScanRequest, "gitDirectory" | "commonDirectory" | "format">;
  readonly #scan: ScanLooseRefs;
  readonly #warn: (message: string) => void;
  readonly #listings = new Map<string, LooseListing>();

  constructor(
    where: Pick<LooseScanRequest, "gitDirectory" | "commonDirectory" | "format">,
    scan: ScanLooseRefs,
    warn: (message: string) => void,
  ) {
    this.#where = where;
    this.#scan = scan;
    this.#warn = warn;
  }

  /** `prefixes` are as `minimalPrefixes` gives them. */
  async list(prefixes: readonly string[], signal: AbortSignal | undefined): Promise<LooseListing> {
    const key = prefixes.join("\n");
    const known = this.#listings.get(key);
    const { serial, lines, warnings } = await this.#scan(
      { ...this.#where, prefixes, known: known?.serial },
      signal,
    );
    for (const warning of warnings) this.#warn(warning);
    if (lines === undefined && known !== undefined) return known;
    const listing = { serial, refs: await refsOf(lines ?? "") };
    this.#listings.delete(key);
    if (listing.refs.length > MAX_KNOWN_REFS) return listing;
    this.#listings.set(key, listing);
    for (const oldest of this.#listings.keys()) {
      if (this.#listings.size <= MAX_LISTINGS) break;
      this.#listings.delete(oldest);
    }
    return listing;
  }
}

async function refsOf(lines: string): Promise<Ref[]> {
  const refs: Ref[] = [];
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf("\n", at);
    const split = lines.lastIndexOf(" ", end);
    const name = lines.slice(split + 1, end);
    const target = lines.startsWith("ref: ", at)
      ? ({ kind: "symbolic", name: lines.slice(at + 5, split) } as const)
      : ({ kind: "id", id: lines.slice(at, split) as ObjectId } as const);
    refs.push({ name, target });
    at = end + 1;
    if (refs.length % LINES_PER_TURN === 0) await letOthersRun();
  }
  return refs;
}

/** Scans in the thread that asks, in slices. */
export function scanHere(): ScanLooseRefs {
  const scanner = new LooseScanner();
  return (request, signal) => {
    let sliceEnd = performance.now() + SLICE_MS;
    return scanner.scan(request, async () => {
      if (performance.now() < sliceEnd) return;
      await letOthersRun();
      signal?.throwIfAborted();
      sliceEnd = performance.now() + SLICE_MS;
    });
  };
}
