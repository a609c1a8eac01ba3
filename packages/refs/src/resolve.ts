import type { ObjectId } from "@x/objects";
import { isSymbolicTarget } from "./ref-name.ts";
import type { Ref, RefStore } from "./ref-store.ts";

/** How many refs are read on the way from a name to an id, itself included. As in C git. */
export const MAX_SYMBOLIC_DEPTH = 5;

/** Where a name leads. `name` is the last one on the way. */
export type ResolvedRef =
  | { readonly status: "found"; readonly name: string; readonly id: ObjectId; readonly ref: Ref }
  /** It leads to a ref that does not exist, as HEAD does in an empty repository. */
  | { readonly status: "unborn"; readonly name: string }
  /** It leads in a circle, too far, or to something that cannot be a ref. */
  | { readonly status: "broken"; readonly name: string };

/** Follows symbolic refs. @returns `undefined` when `name` itself does not exist */
export async function resolveRef(
  store: Pick<RefStore, "get">,
  name: string,
): Promise<ResolvedRef | undefined> {
  let current = name;
  for (let depth = 0; depth < MAX_SYMBOLIC_DEPTH; depth++) {
    const ref = await store.get(current);
    if (ref === undefined) return depth === 0 ? undefined : { status: "unborn", name: current };
    if (ref.target.kind === "id") return { status: "found", name: current, id: ref.target.id, ref };
    current = ref.target.name;
    if (!isSymbolicTarget(current)) break;
  }
  return { status: "broken", name: current };
}
