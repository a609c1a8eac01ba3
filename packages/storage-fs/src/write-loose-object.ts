import { link, mkdir, open, unlink } from "node:fs/promises";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { hashObject, type ObjectFormat, type ObjectId, type ObjectType, objectPreamble } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { systemCode } from "./errors.ts";
import { syncDirectories, writeDurably } from "./lock-file.ts";

const deflateAsync = promisify(deflate);

/**
 * Writes one object as a file of its own, durably, unless it is there already. For a few objects; many belong in a pack.
 * Spec: gitformat-loose.
 */
export async function writeLooseObject(
  repository: { readonly objectsDirectory: string; readonly objectFormat: ObjectFormat },
  type: ObjectType,
  data: Uint8Array,
): Promise<ObjectId> {
  const { objectsDirectory, objectFormat } = repository;
  const id = hashObject(objectFormat, type, data, createNodeHasher);
  const directory = `${objectsDirectory}/${id.slice(0, 2)}`;
  await mkdir(directory, { recursive: true });
  const temporary = `${directory}/tmp_obj_${process.pid}_${id.slice(2, 12)}`;
  const stream = await deflateAsync(Buffer.concat([objectPreamble(type, data.length), data]));
  await writeDurably(await open(temporary, "w", 0o444), [stream]);
  try {
    await link(temporary, `${directory}/${id.slice(2)}`);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  } finally {
    await unlink(temporary);
  }
  await syncDirectories([directory, objectsDirectory]);
  return id;
}
