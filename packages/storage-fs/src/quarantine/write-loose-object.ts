import { randomUUID } from "node:crypto";
import { link, mkdir, open, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { hashObject, type ObjectFormat, type ObjectId, type ObjectType, objectPreamble } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { toBytePath } from "../disk/byte-path.ts";
import { type Durability, syncsOf } from "../disk/durability.ts";
import { syncDirectories, writeWhole } from "../disk/lock-file.ts";
import { systemCode } from "../errors.ts";

const deflateAsync = promisify(deflate);

/**
 * Writes one object as a file of its own, durably if not told otherwise, unless it is there already. For a few objects; many belong in a pack.
 * Spec: gitformat-loose.
 */
export async function writeLooseObject(
  repository: {
    readonly objectsDirectory: string;
    readonly objectFormat: ObjectFormat;
    readonly durability?: Durability | undefined;
  },
  type: ObjectType,
  data: Uint8Array,
): Promise<ObjectId> {
  const { objectsDirectory, objectFormat, durability = "full" } = repository;
  const syncs = syncsOf(durability);
  const id = hashObject(objectFormat, type, data, createNodeHasher);
  const directory = `${objectsDirectory}/${id.slice(0, 2)}`;
  await mkdir(directory, { recursive: true });
  const temporary = `${directory}/tmp_obj_${randomUUID()}`;
  const stream = await deflateAsync(Buffer.concat([objectPreamble(type, data.length), data]));
  try {
    await writeWhole(await open(temporary, "wx", 0o444), [stream], syncs.looseObjects);
    await link(temporary, `${directory}/${id.slice(2)}`);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  if (syncs.directories) await syncDirectories([directory, objectsDirectory].map(toBytePath));
  return id;
}
