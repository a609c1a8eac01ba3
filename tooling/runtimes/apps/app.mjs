// The same server for every runtime: content that code makes, and a repository that clients push to.
import { createGitServer } from "@x/server";
import { createMemoryRepository, repositoriesFrom } from "@x/storage-memory";

/** @param tools what hashes and deflates; what runs anywhere when not given */
export function createApp(tools) {
  const author = { name: "Robot", email: "robot@example.com", at: 1_700_000_000 };
  const made = new Map();
  const make = async (objectFormat) => {
    const repository = createMemoryRepository({
      objectFormat,
      author,
      tools,
      config: { "uploadpack.allowFilter": "true" },
    });
    for (let round = 1; round <= 3; round++) {
      const files = {};
      for (let i = 0; i < 50; i++) files[`d${i % 5}/f${i}.txt`] = `${round} ${i}\n`.repeat(i * 20);
      await repository.commit({ branch: "main", message: `round ${round}`, files });
    }
    await repository.tag({ name: "v1", message: "the first" });
    return repository;
  };
  return createGitServer({
    repositories: repositoriesFrom((name) => {
      const objectFormat = name === "sha256" ? "sha256" : "sha1";
      if (name !== objectFormat) return undefined;
      if (!made.has(name)) made.set(name, make(objectFormat));
      return made.get(name);
    }),
    services: ["git-upload-pack", "git-receive-pack"],
    agent: "runtime-test/0",
  });
}
