import type { AddCommand } from "./add-command.ts";
import { STDIO_MANUAL } from "./stdio-manual.ts";

const MANUAL = `
FORMATS
  tar, tgz, tar.gz and zip; tar and zip have the bytes of git archive. A client may
  name refs and paths below them; uploadArchive.allowUnreachable lets it name
  anything. tar.umask counts, tar.tgz.remote and tar.tar.gz.remote may be false.
  tar.<format>.command of the machine's or the user's settings makes a format of a
  program, which clients may have where tar.<format>.remote is true there.
${STDIO_MANUAL}
EXAMPLES
  git archive --remote=/srv/git/demo.git --exec="xgit upload-archive" main | tar x
  ln -s "$(command -v xgit)" /usr/local/bin/git-upload-archive   # found by every client
`;

/** For the list of commands and its manual alone: its command line is read as git reads its own. */
export const addUploadArchive: AddCommand = (program) => {
  program
    .command("upload-archive")
    .summary("serve one archive on stdin and stdout")
    .description("Sends an archive of a tree of the repository DIR to git archive --remote.")
    .argument("<DIR>", "the repository")
    .addHelpText("after", MANUAL);
};
