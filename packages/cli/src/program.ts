import { Command, CommanderError } from "commander";
import type { AddCommand } from "./commands/add-command.ts";
import { addDaemon } from "./commands/daemon-command.ts";
import { addFsck } from "./commands/fsck-command.ts";
import { addHttpBackend } from "./commands/http-backend-command.ts";
import { addInit } from "./commands/init-command.ts";
import { addLs } from "./commands/ls-command.ts";
import { formatManual } from "./commands/manual.ts";
import { addReceivePack } from "./commands/receive-pack-command.ts";
import { addServe } from "./commands/serve-command.ts";
import { addShell } from "./commands/shell-command.ts";
import { addUpdateServerInfo } from "./commands/update-server-info-command.ts";
import { addUploadArchive } from "./commands/upload-archive-command.ts";
import { addUploadPack } from "./commands/upload-pack-command.ts";
import type { Terminal } from "./terminal.ts";
import { packageVersion } from "./version.ts";

/** In the order of the list in the manual. */
const COMMANDS: readonly AddCommand[] = [
  addServe,
  addDaemon,
  addUploadPack,
  addReceivePack,
  addUploadArchive,
  addShell,
  addHttpBackend,
  addUpdateServerInfo,
  addInit,
  addLs,
  addFsck,
];

/** Git's own exit status for a command line that cannot be read. */
const USAGE = 129;

const MANUAL = `
EXAMPLES
  xgit serve                      serve ./repositories to this machine
  xgit serve /srv/git             serve the repositories below /srv/git
  xgit help COMMAND               say more about a command

EXIT STATUS
  0 when all went well, 128 after a message that starts with "fatal:", 129 for a
  command line that cannot be read.
`;

/**
 * Runs everything but the commands on standard input and output, which have no time to load this.
 * @returns the exit status
 * @throws CliError, or whatever else ends a command
 */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<number> {
  let status = 0;
  const program = new Command("xgit");
  program
    .summary("a Git server without a git binary")
    .description("Serves Git repositories, without a git binary.")
    .version(`xgit ${packageVersion()}`, "--version", "print the version")
    .helpOption("-h, --help", "print this text")
    .configureHelp({ formatHelp: formatManual })
    .addHelpText("after", MANUAL)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    })
    .showHelpAfterError("(xgit --help says more)");
  const setStatus = (result: number) => {
    status = result;
  };
  for (const add of COMMANDS) add(program, { terminal, setStatus });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    // commander has written its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    throw error;
  }
}
