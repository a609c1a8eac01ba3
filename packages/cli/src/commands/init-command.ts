import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { ObjectFormat } from "@x/objects";
import { Option } from "commander";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { AddCommand } from "./add-command.ts";

const MANUAL = `
SHARING
  --shared lets the group, --shared=all everybody, and --shared=0660 whom the mode
  names at what the repository holds now and later, whatever the umask; it writes
  core.sharedRepository, and receive.denyNonFastForwards with it, as git does.

EXIT STATUS
  0, or 128 after a message that starts with "fatal:", for example because there is
  something in the place already. 129 for a command line that cannot be read.

EXAMPLES
  xgit init /srv/git/project.git
  xgit init --object-format sha256 --initial-branch trunk /srv/git/new.git
  xgit init --shared /srv/git/team/project.git
`;

interface Flags {
  readonly objectFormat: ObjectFormat;
  readonly initialBranch: string;
  readonly shared?: string | true;
  readonly quiet?: boolean;
}

/** `xgit init`. */
export const addInit: AddCommand = (program, { terminal }) => {
  program
    .command("init")
    .summary("make an empty bare repository")
    .description(
      "Makes an empty bare repository in DIR, and the directories above it. It appears whole or not at all, and has reached the disk when the command ends.",
    )
    .argument("<DIR>", "where; it is not there yet, or empty")
    .addOption(
      new Option("--object-format <FORMAT>", "how objects are named: sha1 or sha256")
        .choices(["sha1", "sha256"])
        .default("sha1"),
    )
    .option("-b, --initial-branch <NAME>", "the branch that HEAD names", "main")
    .option("--shared [WHO]", "let others at it: group (if nothing is said), all, or a mode such as 0660")
    .option("-q, --quiet", "say nothing")
    .addHelpText("after", MANUAL)
    .action(async (directory: string, { objectFormat, initialBranch, shared, quiet }: Flags) => {
      const { createBareRepository, StorageFsError } = await import("@x/storage-fs");
      const path = resolve(directory);
      try {
        await mkdir(dirname(path), { recursive: true });
        await createBareRepository(path, {
          objectFormat,
          defaultBranch: Buffer.from(initialBranch, "utf8").toString("latin1"),
          shared: shared === true ? "group" : shared,
        });
      } catch (cause) {
        if (!(cause instanceof Error)) throw cause;
        const code = cause instanceof StorageFsError || cause instanceof RangeError ? "" : `${path}: `;
        throw new CliError("cli/fatal", code + cause.message, { cause });
      }
      if (quiet !== true) terminal.stdout.write(`Initialized empty Git repository in ${printable(path)}/\n`);
    });
};
