import { createGitServices } from "@x/server-core";
import { createRepositoryOpener, createWorkerPool, repositoriesUnder } from "@x/storage-fs";
import { createFetchHandler } from "@x/transport-http";

/** Serves the bare repositories below `directory`, to anybody, for fetching and pushing. */
export function handlerFor(directory, basePath = "") {
  const opener = createRepositoryOpener(createWorkerPool());
  const repositories = repositoriesUnder(directory);
  const { service, dumb } = createGitServices({
    services: ["git-upload-pack", "git-receive-pack"],
    repositories: async ({ repository }) => {
      const layout = await repositories.find(repository);
      return layout && opener.open(layout);
    },
  });
  return createFetchHandler({ service, dumb, basePath });
}

/** What to serve and where, from the command line: `node express.mjs DIR [PORT]`. */
export const [directory = ".", port = "0"] = process.argv.slice(2);

/** Says where it is, for people and for tests. */
export function announce(address) {
  console.log(`http://127.0.0.1:${address.port}/`);
}
