import type { Abortable, ObjectReader, Quarantine } from "@x/objects";
import type { WorkerPicker } from "./pool/pinned-worker.ts";
import { call } from "./pool/worker-call.ts";
import type { OperationName, Operations, StoreLocation } from "./pool/worker-protocol.ts";

type Args<Name extends OperationName> = Operations[Name]["args"];

/** What a store and a quarantine have in common. */
export function createFileObjectReader(
  pool: WorkerPicker,
  location: StoreLocation,
): ObjectReader & Pick<Quarantine, "isAncestor"> {
  const light = async <Name extends OperationName>(operation: Name, args: Args<Name>, options?: Abortable) =>
    call(pool.pick("light"), operation, location, args, options);
  return {
    has: async (ids, options) => (ids.length === 0 ? [] : light("has", { ids }, options)),
    headers: async (ids, options) => (ids.length === 0 ? [] : light("headers", { ids }, options)),
    read: (id, options) => light("read", { id }, options),
    peel: async (ids, options) => (ids.length === 0 ? [] : light("peel", { ids }, options)),
    isAncestor: async (ancestor, descendant, options) =>
      call(pool.pick("heavy"), "isAncestor", location, { ancestor, descendant }, options),
  };
}
