import { formatTree, type ObjectFormat, type ObjectId, type StoredObject } from "@x/objects";
import type { ConfigSetting, Repository, RepositoryConfig } from "../src/index.ts";
import { MemoryObjects } from "./memory-objects.ts";
import { MemoryRefs } from "./memory-refs.ts";

/** A repository in memory, and short ways to fill it. */
export class MemoryRepository implements Repository {
  readonly objectFormat: ObjectFormat;
  readonly objects: MemoryObjects;
  readonly refs: MemoryRefs = new MemoryRefs();
  readonly settings: ConfigSetting[] = [];
  bare = true;
  namespace: string | undefined;

  constructor(objectFormat: ObjectFormat = "sha1") {
    this.objectFormat = objectFormat;
    this.objects = new MemoryObjects(objectFormat);
    this.refs.point("HEAD", "refs/heads/main");
  }

  get config(): RepositoryConfig {
    const getAll = (key: string) =>
      this.settings.filter((one) => one.key === canonical(key)).map(({ value = "true" }) => value);
    return {
      get: (key) => getAll(key).at(-1),
      getAll,
      entries: (prefix) => this.settings.filter(({ key }) => key.startsWith(prefix)),
    };
  }

  /** Adds a setting; without a value, a name alone. */
  configure(key: string, value?: string): void {
    this.settings.push({ key: canonical(key), value });
  }

  blob(text: string): ObjectId {
    return this.objects.graph.add("blob", text);
  }

  tree(text: string): ObjectId {
    const entries = [{ mode: 0o100644, name: "file", id: this.blob(text) }];
    return this.objects.graph.add("tree", formatTree(entries));
  }

  commit(name: string, parents: readonly ObjectId[] = [], when = 1_000_000_000): ObjectId {
    return this.objects.graph.add("commit", commitText(this.tree(name), name, parents, when));
  }

  /** Five commits in a row, `c1` the root, a minute apart; `refs/heads/main` holds the last. */
  five(): [ObjectId, ObjectId, ObjectId, ObjectId, ObjectId] {
    const make = (n: number, parents: ObjectId[]) => this.commit(`c${n}`, parents, 1_000_000_000 + n * 60);
    const c1 = make(1, []);
    const c2 = make(2, [c1]);
    const c3 = make(3, [c2]);
    const c4 = make(4, [c3]);
    const c5 = make(5, [c4]);
    this.refs.set("refs/heads/main", c5);
    return [c1, c2, c3, c4, c5];
  }

  tag(name: string, target: ObjectId): ObjectId {
    const type = this.objects.graph.type(target);
    return this.objects.graph.add(
      "tag",
      `object ${target}\ntype ${type}\ntag ${name}\ntagger T <t@example.com> 1000000000 +0000\n\n${name}\n`,
    );
  }

  /** Takes an object out, for tests of what is missing. */
  lose(id: ObjectId): StoredObject {
    const object = this.objects.graph.get(id) as StoredObject;
    this.objects.graph.stored.delete(id);
    return object;
  }
}

function canonical(key: string): string {
  const first = key.indexOf(".");
  const last = key.lastIndexOf(".");
  return key.slice(0, first).toLowerCase() + key.slice(first, last) + key.slice(last).toLowerCase();
}

function commitText(tree: ObjectId, message: string, parents: readonly ObjectId[], when: number): string {
  const person = `A U Thor <author@example.com> ${when} +0000`;
  const lines = [
    `tree ${tree}`,
    ...parents.map((id) => `parent ${id}`),
    `author ${person}`,
    `committer ${person}`,
  ];
  return `${lines.join("\n")}\n\n${message}\n`;
}
