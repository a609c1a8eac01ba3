import type { AddCommand } from "./add-command.ts";
import { STDIO_MANUAL } from "./stdio-manual.ts";

const MANUAL = `${STDIO_MANUAL}
EXAMPLES
  git clone --no-local -u "xgit upload-pack" /srv/git/demo.git
  git -c protocol.version=2 ls-remote --upload-pack "xgit upload-pack" HOST:demo.git
  ln -s "$(command -v xgit)" /usr/local/bin/git-upload-pack   # found by every client
`;

/** For the list of commands and its manual alone: its command line is read as git reads its own. */
export const addUploadPack: AddCommand = (program) => {
  program
    .command("upload-pack")
    .summary("serve one fetch on stdin and stdout")
    .description("Sends objects of the repository DIR to a git client on standard input and output.")
    .argument("<DIR>", "the repository")
    .option("--stateless-rpc", "one round of smart HTTP: read one request, write one answer")
    .option("--http-backend-info-refs", "only announce what there is, and end")
    .option("--strict", "do not try DIR/.git and DIR.git when DIR is no repository")
    .option("--timeout <SECONDS>", "end when the client is silent for so long (default: never)")
    .addHelpText("after", MANUAL);
};
