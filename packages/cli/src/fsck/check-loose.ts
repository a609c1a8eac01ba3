import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import {
  hexIdLength,
  isObjectType,
  type ObjectFormat,
  type ObjectId,
  type ObjectType,
  objectIdFromBytes,
  parseObjectId,
} from "@x/objects";
import { createNodeHasher } from "@x/objects/node";

/** A larger object is told of as one that was not looked at. Unit: bytes. */
const MAX_OBJECT_BYTES = 2 * 1024 ** 3 - 4096;

/** The loose objects of an object directory, by id, with their files. */
export function* listLoose(
  objectsDirectory: string,
  format: ObjectFormat,
): Generator<{ readonly file: string; readonly id: ObjectId }> {
  const rest = hexIdLength(format) - 2;
  for (let part = 0; part < 256; part++) {
    const name = part.toString(16).padStart(2, "0");
    let files: string[] = [];
    try {
      files = readdirSync(join(objectsDirectory, name));
    } catch {
      // Most are not there.
    }
    for (const file of files) {
      const id = file.length === rest ? parseObjectId(name + file, format) : undefined;
      if (id !== undefined) yield { file: join(objectsDirectory, name, file), id };
    }
  }
}

/** A loose object that is as it should be, or why it is not. */
export type LooseFinding =
  | { readonly type: ObjectType; readonly rawId: Uint8Array; readonly data: Uint8Array }
  | { readonly fault: string };

/** Looks at every byte of a loose object. Spec: gitformat-loose */
export function checkLoose(file: string, id: ObjectId, format: ObjectFormat): LooseFinding {
  let bytes: Uint8Array;
  try {
    const stored = readFileSync(file);
    const { buffer, engine } = inflateSync(stored, {
      maxOutputLength: MAX_OBJECT_BYTES,
      info: true,
    }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    if (engine.bytesWritten !== stored.length) return { fault: "garbage at end of loose object" };
    bytes = buffer;
  } catch (error) {
    return { fault: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
  const end = bytes.subarray(0, 32).indexOf(0);
  const [, type = "", size = ""] = /^([a-z]+) (0|[1-9][0-9]*)$/.exec(latin1(bytes.subarray(0, end))) ?? [];
  if (end < 0 || !isObjectType(type) || Number(size) !== bytes.length - end - 1)
    return { fault: "its head is not that of an object" };
  const hasher = createNodeHasher(format);
  hasher.update(bytes);
  const rawId = hasher.digest();
  const found = objectIdFromBytes(rawId, format, 0);
  if (found !== id) return { fault: `hash mismatch, it is ${found}` };
  return { type, rawId, data: bytes.subarray(end + 1) };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
