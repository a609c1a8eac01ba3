import { strict as assert } from "node:assert";
import { createGitServer } from "@x/server";
import { createMemoryRepository, type MemoryRepository, repositoriesFrom } from "@x/storage-memory";

/** Stands in for whatever makes the content. */
const render = async (name: string) => ({ "plugin.json": JSON.stringify({ name, version: 12 }) });

// The same content gets the same commit, on every machine that serves it.
const author = { name: "Robot", email: "robot@example.com", at: 1_700_000_000 };
const made = new Map<string, MemoryRepository>();

const git = createGitServer({
  repositories: repositoriesFrom(async (name) => {
    if (!/^plugins\/[a-z]+$/.test(name)) return undefined;
    const repository = made.get(name) ?? createMemoryRepository({ author });
    made.set(name, repository);
    await repository.commit({
      branch: "main",
      message: "v12",
      files: await render(name),
      filesAreAll: true,
      parents: [],
    });
    return repository;
  }),
});

const url = "https://example.com/plugins/acme/info/refs?service=git-upload-pack";
const answers = [await git.fetch(new Request(url)), await git.fetch(new Request(url))];
const [first, second] = await Promise.all(answers.map((answer) => answer.text()));
assert.match(first ?? "", / refs\/heads\/main\n/);
assert.equal(first, second);
