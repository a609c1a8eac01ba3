import type { AddCommand } from "./add-command.ts";
import { STDIO_MANUAL } from "./stdio-manual.ts";

const MANUAL = `${STDIO_MANUAL}
EXAMPLES
  git push --receive-pack "xgit receive-pack" /srv/git/demo.git main
`;

/** For the list of commands and its manual alone: its command line is read as git reads its own. */
export const addReceivePack: AddCommand = (program) => {
  program
    .command("receive-pack")
    .summary("take one push on stdin and stdout")
    .description("Takes what a git client on standard input and output pushes into the repository DIR.")
    .argument("<DIR>", "the repository")
    .option("--stateless-rpc", "one round of smart HTTP: read one request, write one answer")
    .option("--http-backend-info-refs", "only announce what there is, and end")
    .option("--no-hooks", "do not run the repository's hooks")
    .addHelpText("after", MANUAL);
};
