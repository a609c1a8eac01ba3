import type { ObjectStore, Quarantine } from "@x/objects";
import type { StdioOptions } from "./stdio-options.ts";

/** How a push is taken in that is not taken in as usual. */
export type Bending = Pick<StdioOptions, "skipConnectivityCheck" | "rejectThin">;

/** A store that takes pushes in as hidden flags of git-receive-pack have it. */
export function bendStore(objects: ObjectStore, bending: Bending): ObjectStore {
  if (!bending.skipConnectivityCheck && !bending.rejectThin) return objects;
  return { ...objects, receive: async (options) => bend(await objects.receive(options), bending) };
}

function bend(quarantine: Quarantine, { skipConnectivityCheck, rejectThin }: Bending): Quarantine {
  const takePack: Quarantine["takePack"] = (chunks, options) =>
    quarantine.takePack(chunks, { ...options, mayBeThin: !rejectThin });
  const unconnected: Quarantine["unconnected"] = (...request) =>
    skipConnectivityCheck ? Promise.resolve([]) : quarantine.unconnected(...request);
  // What else there is stays the quarantine's own, as what its getters say changes.
  return Object.create(quarantine, { takePack: { value: takePack }, unconnected: { value: unconnected } });
}
