import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import {
  createHasher,
  hashObject,
  hexIdLength,
  type ObjectFormat,
  type ObjectId,
  type ObjectType,
  objectIdToBytes,
} from "../src/index.ts";

/** Byte-exact: one byte for each character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** An id that names nothing. */
export function someId(format: ObjectFormat, digit = "1"): string {
  return digit.repeat(hexIdLength(format));
}

export interface CommitParts {
  readonly tree?: string;
  readonly parents?: string;
  readonly author?: string;
  readonly committer?: string;
  readonly rest?: string;
}

const WHO = "A U Thor <author@example.com> 1112911993 -0700\n";

/** A commit with lines in place of its own; a line comes with its end. */
export function commitText(format: ObjectFormat, parts: CommitParts = {}): string {
  const {
    tree = `tree ${someId(format)}\n`,
    parents = "",
    author = `author ${WHO}`,
    committer = `committer ${WHO}`,
    rest = "\nmessage\n",
  } = parts;
  return tree + parents + author + committer + rest;
}

/** A tag with lines in place of its own; a line comes with its end. */
export function tagText(
  format: ObjectFormat,
  parts: {
    readonly object?: string;
    readonly type?: string;
    readonly tag?: string;
    readonly tagger?: string;
    readonly rest?: string;
  } = {},
): string {
  const {
    object = `object ${someId(format, "2")}\n`,
    type = "type commit\n",
    tag = "tag v1.0\n",
    tagger = `tagger ${WHO}`,
    rest = "\nmessage\n",
  } = parts;
  return object + type + tag + tagger + rest;
}

/** A tree of `[mode, name]` or `[mode, name, id]`, in this order. */
export function treeText(
  format: ObjectFormat,
  entries: readonly (readonly [string, string, string?])[],
): string {
  return entries
    .map(([mode, name, id = someId(format, mode === "40000" ? "c" : "b")]) => {
      const raw = String.fromCharCode(
        ...objectIdToBytes((id.length === 1 ? someId(format, id) : id) as ObjectId),
      );
      return `${mode} ${name}\0${raw}`;
    })
    .join("");
}

/** Puts an object into a repository as a loose one, whatever its bytes are; gives its id. */
export function writeLoose(
  gitDirectory: string,
  format: ObjectFormat,
  type: ObjectType,
  bytes: Uint8Array,
): ObjectId {
  const id = hashObject(format, type, bytes);
  const path = join(gitDirectory, "objects", id.slice(0, 2), id.slice(2));
  mkdirSync(dirname(path), { recursive: true });
  const head = latin1(`${type} ${bytes.length}\0`);
  writeFileSync(path, deflateSync(Buffer.concat([head, bytes]), { level: 1 }));
  return id;
}

/** A pack of whole objects. */
export function packOf(
  format: ObjectFormat,
  objects: readonly (readonly [ObjectType, Uint8Array])[],
): Uint8Array {
  const count = new Uint8Array(4);
  new DataView(count.buffer).setUint32(0, objects.length);
  const parts = [latin1("PACK\0\0\0\x02"), count];
  for (const [type, bytes] of objects) {
    const head: number[] = [];
    let size = Math.floor(bytes.length / 16);
    head.push(
      (["commit", "tree", "blob", "tag"].indexOf(type) + 1) * 16 + (bytes.length % 16) + (size > 0 ? 128 : 0),
    );
    for (; size > 0; size = Math.floor(size / 128)) head.push((size % 128) + (size >= 128 ? 128 : 0));
    parts.push(Uint8Array.from(head), deflateSync(bytes));
  }
  const hasher = createHasher(format);
  for (const part of parts) hasher.update(part);
  return Buffer.concat([...parts, hasher.digest()]);
}
