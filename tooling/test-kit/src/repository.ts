import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { git, temporaryDirectory } from "./git.ts";

/** A repository that stock git made, with a work tree to commit in. */
export interface TestRepository {
  readonly directory: string;
  readonly gitDirectory: string;
  /** Writes the files and commits them; gives the commit's id. `when` is seconds since 1970. */
  commit(
    message: string,
    files?: Readonly<Record<string, string | Uint8Array>>,
    when?: number,
  ): Promise<string>;
  git(...args: string[]): Promise<string>;
}

/** Makes an empty repository in a temporary directory, or in `directory`. */
export async function createTestRepository(
  options: { readonly objectFormat?: "sha1" | "sha256"; readonly directory?: string } = {},
): Promise<TestRepository> {
  const directory = options.directory ?? temporaryDirectory("repo");
  await git(["init", "-q", `--object-format=${options.objectFormat ?? "sha1"}`, directory]);
  let clock = 1_112_911_993;
  const tick = () => {
    clock += 60;
    return clock;
  };
  return {
    directory,
    gitDirectory: join(directory, ".git"),
    git: (...args) => git(args, { cwd: directory }),
    async commit(message, files = { file: `${message}\n` }, when = tick()) {
      for (const [name, data] of Object.entries(files)) writeFileSync(join(directory, name), data);
      await git(["add", "-A"], { cwd: directory });
      const env = { GIT_AUTHOR_DATE: `${when} +0000`, GIT_COMMITTER_DATE: `${when} +0000` };
      await git(["commit", "-q", "--allow-empty", "-m", message], { cwd: directory, env });
      return git(["rev-parse", "HEAD"], { cwd: directory });
    },
  };
}
