import type { AddCommand } from "./add-command.ts";

const MANUAL = `
It writes info/refs and objects/info/packs, which a web server that knows nothing
of git hands out to clients of the dumb protocol. xgit serve and xgit http-backend
need neither file. A push does the same where receive.updateServerInfo is set.

EXIT STATUS
  0, or 128 after "fatal: ..." on standard error.
`;

export const addUpdateServerInfo: AddCommand = (program, { terminal }) => {
  program
    .command("update-server-info")
    .summary("write what web servers need for dumb clients")
    .description("Writes files that let clients of the dumb protocol find what a repository has.")
    .argument("[DIR]", "the repository, or a directory below its work tree (default: this one)")
    .option("-f, --force", "write them anew (they always are; taken for git's sake)")
    .addHelpText("after", MANUAL)
    .action(async (directory: string | undefined) => {
      const { updateServerInfo } = await import("../stdio/update-server-info.ts");
      await updateServerInfo(directory, terminal);
    });
};
