import { resolve } from "node:path";
import { CliError } from "../errors.ts";
import type { AddCommand } from "./add-command.ts";

const MANUAL = `
CHECKS
  Every byte of every pack and loose object: whether it inflates, whether it is what
  its name says, and whether git would take it. That a pack's index says the truth.
  That all is there to which refs, HEAD and their logs lead. That refs hold ids of
  objects, and branches commits.

  Objects borrowed from alternates have to be there, and are not looked into; what a
  promisor remote may have need not be there. Commit-graphs, bitmaps and
  multi-pack-indexes are not looked at: nothing depends on them that git, or xgit,
  could not make anew.

OUTPUT
  As git's: "missing TYPE ID", "broken link from ... to ..." and "dangling TYPE ID"
  on standard output; errors, warnings and notices on standard error.

SETTINGS
  fsck.<msg-id> of the repository, as git fsck has it.

EXIT STATUS
  0 when nothing is wrong; else the sum of 1 for objects that are bad, 2 for objects
  that are missing, 4 for packs, 8 for refs. 128 after a message that starts with
  "fatal:", 129 for a command line that cannot be read.

EXAMPLES
  xgit fsck /srv/git/project.git
  xgit ls /srv/git | while read -r name; do xgit fsck "/srv/git/$name" || echo "$name"; done
`;

interface Flags {
  readonly strict?: boolean;
  readonly dangling: boolean;
  readonly progress?: boolean;
}

/** Between two looks at the progress. Unit: milliseconds. */
const PROGRESS_MS = 200;

/** `xgit fsck`. */
export const addFsck: AddCommand = (program, { terminal, setStatus }) => {
  program
    .command("fsck")
    .summary("look for damage in a repository")
    .description("Looks at all objects of the repository DIR, at what leads to them, and at its refs.")
    .argument("[DIR]", "the repository", ".")
    .option("--strict", "count as errors what git only warns of")
    .option("--no-dangling", "say nothing of objects that nothing leads to")
    .option("--progress", "show progress although standard error is no terminal")
    .addHelpText("after", MANUAL)
    .action(async (directory: string, { strict = false, dangling, progress = false }: Flags) => {
      const { stdout, stderr } = terminal;
      const [{ findRepository }, { openStorage }, { fsckRepository }] = await Promise.all([
        import("@x/storage-fs"),
        import("../compose.ts"),
        import("../fsck/fsck-repository.ts"),
      ]);
      const layout = await findRepository(resolve(directory));
      if (layout === undefined) throw new CliError("cli/fatal", `not a git repository: '${directory}'`);
      const isShown = progress || ("isTTY" in stderr && stderr.isTTY === true);
      let shownAt = 0;
      let isOpen = false;
      const clear = () => {
        if (isOpen) stderr.write("\n");
        isOpen = false;
      };
      const storage = openStorage({});
      try {
        const status = await fsckRepository(await storage.open(layout), layout, {
          strict,
          dangling,
          onLine(to, line) {
            clear();
            (to === "out" ? stdout : stderr).write(`${line}\n`);
          },
          onProgress(objects) {
            if (!isShown || performance.now() - shownAt < PROGRESS_MS) return;
            shownAt = performance.now();
            isOpen = true;
            stderr.write(`\rChecking objects: ${objects}`);
          },
        });
        clear();
        setStatus(status);
      } finally {
        await storage.close();
      }
    });
};
