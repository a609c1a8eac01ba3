import {
  type CurrentRef,
  conflicting,
  lowerBound,
  type PackedRefs,
  parentRefNames,
  type RejectedRef,
} from "@x/refs";
import type { LooseState } from "./ref-files.ts";

/** Loose beats packed. */
export function currentRef(name: string, loose: LooseState, packed: PackedRefs): CurrentRef {
  if (loose === "missing" || loose === "directory") {
    const target = packed.get(name)?.target;
    return target?.kind === "id" ? target : "absent";
  }
  return loose !== "broken" && loose.kind === "id" ? loose : "special";
}

/** The packed ref that stands where `name` would need a directory, or below it. */
export function packedConflict(name: string, packed: PackedRefs): string | undefined {
  const parent = parentRefNames(name).find((above) => packed.has(above));
  if (parent !== undefined) return parent;
  const below = lowerBound(packed, `${name}/`);
  const found = below < packed.length ? packed.nameAt(below) : "";
  return found.startsWith(`${name}/`) ? found : undefined;
}

/** The same, where a loose ref was found in the way as this one was to be locked. */
export function conflictingFile(name: string, other: string | undefined): RejectedRef {
  const outcome = conflicting(name, other);
  return other === undefined
    ? outcome
    : { ...outcome, message: `cannot lock ref '${name}': ${outcome.message}` };
}
