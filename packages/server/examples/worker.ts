import { createGitServer, type GitServer } from "@x/server";
import { createMemoryRepository, repositoriesFrom } from "@x/storage-memory";

const templates = createMemoryRepository();
const filled = templates.commit({ branch: "main", message: "templates", files: { "index.html": "<p>hi" } });

const git = createGitServer({
  repositories: repositoriesFrom(async (name) => {
    await filled;
    return name === "templates" ? templates : undefined;
  }),
});

// A Worker's entry as it is; and Bun.serve({ fetch: git.fetch }), Deno.serve(git.fetch).
export default { fetch: git.fetch } as Pick<GitServer, "fetch">;
