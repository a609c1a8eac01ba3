import { formatTree, type ObjectId, type ObjectType, type TreeEntry } from "@x/objects";
import { createBareRepository, writeLooseObject } from "@x/storage-fs";
import type { Storage } from "../compose.ts";
import { CliError } from "../errors.ts";

const README = `# Demo

xgit made this repository because it had none to serve.

    git clone <the line that xgit printed>
    cd demo
    git switch -c try-it
    git commit --allow-empty -m "Try it"
    git push -u origin try-it

Put bare repositories beside it, or name another directory: xgit serve DIR
`;

const HELLO = "Hello from a Git server without git.\n";

const encoder = new TextEncoder();

/**
 * Makes a small bare repository: two commits on `main`, a directory, and a tag.
 * @param directory is empty or not there; its parent is there
 * @param now seconds since 1970
 */
export async function makeDemoRepository(storage: Storage, directory: string, now: number): Promise<void> {
  const { objectsDirectory } = await createBareRepository(directory);
  const write = (type: ObjectType, data: string | Uint8Array) =>
    writeLooseObject(
      { objectsDirectory, objectFormat: "sha1" },
      type,
      typeof data === "string" ? encoder.encode(data) : data,
    );
  const tree = (entries: readonly TreeEntry[]) => write("tree", formatTree(entries));
  const file = async (name: string, text: string): Promise<TreeEntry> => ({
    mode: 0o100644,
    name,
    id: await write("blob", text),
  });
  const who = `xgit <xgit@localhost> ${now} +0000`;
  const commit = (root: ObjectId, parents: readonly ObjectId[], message: string) => {
    const links = [`tree ${root}`, ...parents.map((id) => `parent ${id}`)];
    return write("commit", `${[...links, `author ${who}`, `committer ${who}`].join("\n")}\n\n${message}\n`);
  };

  const readme = await file("README.md", README);
  const first = await commit(await tree([readme]), [], "Say what this is");
  const greetings = await tree([await file("hello.txt", HELLO)]);
  const root = await tree([readme, { mode: 0o40000, name: "greetings", id: greetings }]);
  const second = await commit(root, [first], "Add a greeting");
  const tag = await write("tag", `object ${second}\ntype commit\ntag v1.0\ntagger ${who}\n\nThe first one\n`);

  const repository = await storage.openRepository(directory, { strict: true });
  if (repository === undefined)
    throw new CliError("cli/fatal", `${directory} cannot be opened after it was made`);
  const edits = [
    { name: "refs/heads/main", expected: "absent", next: second },
    { name: "refs/tags/v1.0", expected: "absent", next: tag },
  ] as const;
  for (const outcome of await repository.refs.transact(edits, { atomic: true }))
    if (outcome.status !== "ok") throw new CliError("cli/fatal", `the demo's refs: ${outcome.message}`);
}
