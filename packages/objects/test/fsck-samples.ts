import { deflateSync } from "node:zlib";
import { git, tryGit } from "@tooling/test-kit";
import {
  createHasher,
  type FsckFinding,
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

/** Puts objects into a repository, each once, whatever their bytes are. */
export async function storeObjects(
  directory: string,
  format: ObjectFormat,
  objects: readonly (readonly [ObjectType, Uint8Array])[],
): Promise<void> {
  const distinct = new Map(objects.map((object) => [hashObject(format, ...object), object]));
  const input = packOf(format, [...distinct.values()]);
  await git(["index-pack", "--stdin"], { cwd: directory, input });
}

/** What `git fsck --strict` says of objects it could parse: `error in commit <id>: <message id>: …`, in its order. */
export async function fsckByGit(
  directory: string,
): Promise<{ readonly told: string[]; readonly unparsable: string[] }> {
  const { stderr } = await tryGit(["fsck", "--strict", "--no-dangling"], { cwd: directory });
  const told = stderr
    .split(/\n(?=error|warning|notice|Checking|$)/)
    .filter((text) => /^(?:error|warning) in [a-z]+ [0-9a-f]+: [a-zA-Z0-9]+: /.test(text));
  const unparsable = [
    ...stderr.matchAll(/^error: ([0-9a-f]{40,}): object (?:could not be parsed|corrupt or missing)/gm),
  ];
  return { told, unparsable: unparsable.map(([, id]) => id as string) };
}

/** Writes a finding as {@link fsckByGit} has it. */
export function asFsckTells({ severity, objectType, objectId, id, message }: FsckFinding): string {
  return `${severity === "error" ? "error" : "warning"} in ${objectType} ${objectId}: ${id}: ${message}`;
}
