import type { ObjectId, ObjectType } from "@x/objects";

const encoder = new TextEncoder();

/** The bytes of a commit. Spec: user-manual, "Commit Object". */
export function formatCommit(commit: {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: string;
  readonly committer: string;
  readonly message: string;
}): Uint8Array {
  const { tree, parents, author, committer, message } = commit;
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${author}`,
    `committer ${committer}`,
  ];
  return encoder.encode(`${lines.join("\n")}\n\n${ended(message)}`);
}

/** The bytes of a tag. Spec: user-manual, "Tag Object". */
export function formatTag(tag: {
  readonly id: ObjectId;
  readonly type: ObjectType;
  readonly name: string;
  readonly tagger: string;
  readonly message: string;
}): Uint8Array {
  const { id, type, name, tagger, message } = tag;
  return encoder.encode(`object ${id}\ntype ${type}\ntag ${name}\ntagger ${tagger}\n\n${ended(message)}`);
}

/** As `git commit` leaves it: with a line feed at its end. */
function ended(message: string): string {
  return message === "" || message.endsWith("\n") ? message : `${message}\n`;
}
