/** What a tree, a commit or a tag looks like while it is taken in. All views hold during the call. */
export interface InspectedObject {
  /** Which entry of the pack it is. */
  readonly row: number;
  /** `ENTRY_COMMIT`, `ENTRY_TREE` or `ENTRY_TAG`. */
  readonly kind: number;
  readonly data: Uint8Array;
  /** Of what it was made, when it came as a delta: the base's row, and the delta with its header. */
  readonly delta: { readonly baseKey: number; readonly bytes: Uint8Array } | undefined;
  readonly rawId: Uint8Array;
}

/** Is shown every commit, tree and tag of a pack, bases before what is made of them. What it throws ends the taking in. */
export type InspectObject = (object: InspectedObject) => void;
