import type { ObjectFormat, Quarantine, ReceivedObject } from "@x/objects";
import type { Durability } from "../disk/durability.ts";
import { writeLooseObject } from "./write-loose-object.ts";

/** A push that inflates to more stays a pack. Unit: bytes. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/**
 * Writes what came in as loose objects into the quarantine's own directory if it is less than `below` objects.
 * Spec: git-config, `receive.unpackLimit`.
 * @returns whether it is; the packs are not needed then
 */
export async function unpackReceived(
  quarantine: Pick<Quarantine, "received" | "read">,
  target: { objectsDirectory: string; objectFormat: ObjectFormat; durability: Durability },
  below: number,
): Promise<boolean> {
  const objects: ReceivedObject[] = [];
  let bytes = 0;
  for await (const batch of quarantine.received?.() ?? []) {
    for (const { size } of batch) bytes += size;
    objects.push(...batch);
    if (objects.length >= below || bytes > MAX_UNPACKED_BYTES) return false;
  }
  for (const { id } of objects) {
    const object = await quarantine.read(id);
    if (object === undefined) return false;
    await writeLooseObject(target, object.type, object.data);
  }
  return true;
}
