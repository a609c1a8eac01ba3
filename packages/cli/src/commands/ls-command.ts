import type { AddCommand } from "./add-command.ts";

const MANUAL = `
OUTPUT
  Below a directory that is no repository itself: a line for each repository, its
  name as clients write it. Directories whose names start with a dot are passed
  over, and so are symbolic links.

  Of a repository: a line for each ref, the id it holds, a tab, and its name, HEAD
  first. Nothing is hidden: this is for whoever looks after it.

  --json prints an array of objects instead: name, path, objectFormat and head of
  repositories; name, id, symbolic and peeled of refs.

EXIT STATUS
  0, 128 after a message that starts with "fatal:", 129 for a command line that
  cannot be read.

EXAMPLES
  xgit ls /srv/git
  xgit ls --json /srv/git/project.git
`;

/** `xgit ls`. */
export const addLs: AddCommand = (program, { terminal }) => {
  program
    .command("ls")
    .summary("list the repositories below a directory, or the refs of one")
    .description("Lists the repositories below PATH, or the refs of the repository that PATH is.")
    .argument("[PATH]", "a repository, or a directory with some below it", ".")
    .option("--json", "print an array of objects")
    .addHelpText("after", MANUAL)
    .action(async (path: string, { json = false }: { readonly json?: boolean }) => {
      const { ls } = await import("../ls/ls.ts");
      for await (const text of ls(path, json))
        if (!terminal.stdout.write(text))
          await new Promise((resolve) => terminal.stdout.once("drain", resolve));
    });
};
