import type { ObjectId } from "@x/objects";
import { askPeel } from "@x/pack";
import { isValidRefName, type RefEdit, resolveRef } from "@x/refs";
import { StorageMemoryError } from "../errors.ts";
import type { MemoryRefs } from "../memory-refs.ts";
import type { ObjectShelf } from "../object-shelf.ts";
import { treeOf } from "../read/file-view.ts";
import { readStored } from "../read/read-stored.ts";
import { SharedThread } from "../shared-thread.ts";
import { formatCommit, formatTag } from "./commit-text.ts";
import { changeTree, type FileChanges } from "./file-changes.ts";
import { formatIdentity, type Identity } from "./identity.ts";
import { writeTree } from "./write-tree.ts";

/** A commit to be made. */
export interface NewCommit {
  /** Its short name. Made when it is not there. */
  readonly branch: string;
  readonly message: string;
  /** What changes, by path. */
  readonly files?: FileChanges | undefined;
  /** `true`: files that `files` does not name are not in the commit. Default: they stay as the first parent has them. */
  readonly filesAreAll?: boolean | undefined;
  readonly author?: Identity | undefined;
  /** Default: the author. */
  readonly committer?: Identity | undefined;
  /** Ids, or names of refs. Default: what the branch holds, if it is there. */
  readonly parents?: readonly string[] | undefined;
}

/** A tag to be made, or moved. */
export interface NewTag {
  /** Its short name. */
  readonly name: string;
  /** An id, or the name of a ref. Default: `HEAD`. */
  readonly target?: string | undefined;
  /** With it, the tag is an object of its own. */
  readonly message?: string | undefined;
  readonly tagger?: Identity | undefined;
}

/** What a writer works with. */
export interface WriterOptions {
  readonly shelf: ObjectShelf;
  readonly refs: MemoryRefs;
  /** Unit: milliseconds since 1970. */
  readonly now: () => number;
  readonly author: Identity;
}

/** A push may come in between; then a commit is made on top of it. */
const MAX_TRIES = 100;

/** Fills a repository. */
export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** @throws StorageMemoryError, RefsError */
  async commit(commit: NewCommit): Promise<ObjectId> {
    const name = refName("refs/heads/", commit.branch);
    const changes = changeTree(commit.files ?? {});
    for (let tries = 1; ; tries++) {
      const tip = await this.find(name);
      const given =
        commit.parents && (await Promise.all(commit.parents.map((parent) => this.resolve(parent))));
      const parents = given ?? (tip === undefined ? [] : [tip]);
      for (const parent of parents) readStored(this.#options.shelf, parent, "commit");
      const id = this.#write(commit, parents, changes);
      const failure = await this.#change({ name, expected: tip ?? "absent", next: id });
      if (failure === undefined) return id;
      if (tries === MAX_TRIES || (await this.find(name)) === tip) throw rejectedChange(failure);
    }
  }

  #write(
    { files, filesAreAll, message, author = this.#options.author, committer = author }: NewCommit,
    parents: readonly ObjectId[],
    changes: ReturnType<typeof changeTree>,
  ): ObjectId {
    const { shelf, now } = this.#options;
    const [first] = parents;
    const base = first === undefined || filesAreAll ? undefined : treeOf(shelf, first);
    const tree = base !== undefined && files === undefined ? base : writeTree(shelf, base, changes);
    const text = formatCommit({
      tree,
      parents,
      author: formatIdentity(author, now),
      committer: formatIdentity(committer, now),
      message,
    });
    return shelf.add("commit", text);
  }

  /** @throws StorageMemoryError, RefsError */
  async tag({ name, target = "HEAD", message, tagger = this.#options.author }: NewTag): Promise<ObjectId> {
    const { shelf, now } = this.#options;
    const ref = refName("refs/tags/", name);
    const id = await this.resolve(target);
    let next = id;
    if (message !== undefined) {
      const table = shelf.table();
      const { type } = table.header(table.findId(id));
      next = shelf.add("tag", formatTag({ id, type, name, tagger: formatIdentity(tagger, now), message }));
    }
    await this.#mustChange({ name: ref, expected: "any", next });
    return next;
  }

  /** @throws StorageMemoryError, RefsError */
  async setRef(name: string, target: string): Promise<ObjectId> {
    const next = await this.resolve(target);
    await this.#mustChange({ name, expected: "any", next });
    return next;
  }

  /** @throws StorageMemoryError, RefsError */
  async deleteRef(name: string): Promise<void> {
    await this.#mustChange({ name, expected: "any", next: "delete" });
  }

  /** What a name stands for; `undefined` when it is none of a ref that is there. */
  async find(name: string): Promise<ObjectId | undefined> {
    const found = await resolveRef(this.#options.refs, name);
    return found?.status === "found" ? found.id : undefined;
  }

  /**
   * The id of an object that is there, by an id, or the name of a ref: `HEAD`, a whole one, a branch or a tag.
   * @throws StorageMemoryError `storage-memory/not-found`
   */
  async resolve(name: string): Promise<ObjectId> {
    for (const candidate of [name, `refs/tags/${name}`, `refs/heads/${name}`]) {
      const id = await this.find(candidate);
      if (id !== undefined) return id;
    }
    const { shelf } = this.#options;
    const id = name as ObjectId;
    const [peeled] = await askPeel(shelf.table(), [id], new SharedThread());
    if (peeled === undefined) throw new StorageMemoryError("storage-memory/not-found", `there is no ${name}`);
    return id;
  }

  async #mustChange(edit: RefEdit): Promise<void> {
    const failure = await this.#change(edit);
    if (failure !== undefined) throw rejectedChange(failure);
  }

  /** @returns why not */
  async #change(edit: RefEdit): Promise<string | undefined> {
    const [outcome] = await this.#options.refs.transact([edit], { atomic: true });
    return outcome?.status === "rejected" ? outcome.message : undefined;
  }
}

function refName(prefix: string, name: string): string {
  const full = `${prefix}${name}`;
  if (!isValidRefName(full))
    throw new StorageMemoryError(
      "storage-memory/ref-rejected",
      `not a name for a ref: ${full.slice(0, 256)}`,
    );
  return full;
}

function rejectedChange(message: string): StorageMemoryError {
  return new StorageMemoryError("storage-memory/ref-rejected", message);
}
