import { setImmediate as letOthersRun } from "node:timers/promises";
import type { ObjectId } from "@x/objects";
import type { Ref, RefTarget } from "@x/refs";
import { QuickLook } from "../disk/quick-look.ts";
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
/** A scan that looks at no more files is done in the thread that asks, when it is repeated soon. */
const MAX_LOOKS_HERE = 64;
/** A scan in the thread that asks pauses after this. Unit: milliseconds. */
const SLICE_MS = 5;

/** A loose ref; without a target it is broken, and hides a packed one all the same. */
export type LooseRef = Ref | { readonly name: string; readonly target?: undefined };

/** The loose refs that a listing found, and what tells them from others. */
export interface LooseListing {
  readonly serial: string;
  /** In byte order of names. */
  readonly refs: readonly LooseRef[];
}

interface KnownListing extends LooseListing {
  readonly lines: string;
  /** What each way to scan calls the state that it found. */
  readonly serials: { here?: string; elsewhere?: string };
  looks: number;
  readonly quick: QuickLook;
}

/** Lists loose refs; what has not changed is not made again. */
export class LooseRefs {
  readonly #where: Pick<LooseScanRequest, "gitDirectory" | "commonDirectory" | "format">;
  readonly #scan: ScanLooseRefs;
  readonly #warn: (message: string) => void;
  readonly #listings = new Map<string, KnownListing>();
  readonly #scanHere: ScanLooseRefs = scanHere();

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
    const quick = known?.quick ?? new QuickLook();
    let way: "here" | "elsewhere" = "elsewhere";
    const scan = () => {
      const request = { ...this.#where, prefixes, known: known?.serials[way] };
      return way === "here" ? this.#scanHere(request, signal) : this.#scan(request, signal);
    };
    const isLong = known !== undefined && known.looks > MAX_LOOKS_HERE;
    const here = () => {
      way = "here";
      return scan();
    };
    const { serial, lines, looks, warnings } = await (isLong ? scan() : quick.look(here, scan));
    for (const warning of warnings) this.#warn(warning);
    if (known !== undefined && (lines === undefined || lines === known.lines)) {
      known.serials[way] = serial;
      known.looks = looks;
      return known;
    }
    const listing = {
      serial,
      refs: await refsOf(lines ?? ""),
      lines: lines ?? "",
      serials: { [way]: serial },
      looks,
      quick,
    };
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

async function refsOf(lines: string): Promise<LooseRef[]> {
  const refs: LooseRef[] = [];
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf("\n", at);
    const split = lines.lastIndexOf(" ", end);
    const name = lines.slice(split + 1, end);
    const target = targetOf(lines.slice(at, split));
    refs.push(target === undefined ? { name } : { name, target });
    at = end + 1;
    if (refs.length % LINES_PER_TURN === 0) await letOthersRun();
  }
  return refs;
}

function targetOf(value: string): RefTarget | undefined {
  if (value === "broken") return undefined;
  if (value.startsWith("ref: ")) return { kind: "symbolic", name: value.slice(5) };
  return { kind: "id", id: value as ObjectId };
}

/** Scans in the thread that asks, in slices. */
export function scanHere(): ScanLooseRefs {
  const scanner = new LooseScanner();
  return (request, signal) => {
    let sliceEnd = performance.now() + SLICE_MS;
    const pause = async (): Promise<void> => {
      await letOthersRun();
      signal?.throwIfAborted();
      sliceEnd = performance.now() + SLICE_MS;
    };
    return scanner.scan(request, () => (performance.now() < sliceEnd ? undefined : pause()));
  };
}
