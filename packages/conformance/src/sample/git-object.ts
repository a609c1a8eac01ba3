import {
  formatTree,
  hashObject,
  type ObjectFormat,
  type ObjectId,
  type ObjectType,
  type TreeEntry,
} from "@x/objects";

/** An object to be stored. */
export interface GitObject {
  readonly id: ObjectId;
  readonly type: ObjectType;
  readonly data: Uint8Array;
}

const encoder = new TextEncoder();

/** Makes objects of one format. */
export class ObjectMaker {
  readonly format: ObjectFormat;

  constructor(format: ObjectFormat) {
    this.format = format;
  }

  object(type: ObjectType, data: Uint8Array | string): GitObject {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    return { id: hashObject(this.format, type, bytes), type, data: bytes };
  }

  blob(data: Uint8Array | string): GitObject {
    return this.object("blob", data);
  }

  /** Names → objects, or the id of a submodule's commit. */
  tree(entries: Readonly<Record<string, GitObject | ObjectId>>): GitObject {
    const rows = Object.entries(entries).map(
      ([name, entry]): TreeEntry =>
        typeof entry === "string"
          ? { mode: 0o160000, name, id: entry }
          : { mode: entry.type === "tree" ? 0o40000 : 0o100644, name, id: entry.id },
    );
    return this.object("tree", formatTree(rows));
  }

  /** @param at when. Unit: seconds since 1970. */
  commit(tree: GitObject, parents: readonly GitObject[], at: number): GitObject {
    const lines = [
      `tree ${tree.id}`,
      ...parents.map(({ id }) => `parent ${id}`),
      `author A <a@example.com> ${at} +0000`,
      `committer A <a@example.com> ${at} +0000`,
    ];
    return this.object("commit", `${lines.join("\n")}\n\nat ${at}\n`);
  }

  tag(target: GitObject, name: string): GitObject {
    const head = `object ${target.id}\ntype ${target.type}\ntag ${name}`;
    return this.object("tag", `${head}\ntagger A <a@example.com> 1000 +0000\n\n${name}\n`);
  }

  /** An id of no object. */
  unknown(digit: string): ObjectId {
    return digit.repeat(this.format === "sha1" ? 40 : 64) as ObjectId;
  }
}

/** Bytes that nothing makes shorter. */
export function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  });
}
