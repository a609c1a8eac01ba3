import type { FsckPreset, ServiceName } from "@x/server-core";
import type { Durability } from "@x/storage-fs";
import { Command, CommanderError, Option } from "commander";
import { collectService, parsePort } from "./args.ts";
import * as help from "./help.ts";
import type { Verbosity } from "./serve/log.ts";
import type { CertificateFlags } from "./serve/serve-certificates.ts";
import type { Terminal } from "./terminal.ts";
import { packageVersion } from "./version.ts";

/** Git's own exit status for a command line that cannot be read. */
const USAGE = 129;

/**
 * Runs everything but the commands on standard input and output, which have no time to load this.
 * @returns the exit status
 * @throws CliError, or whatever else ends a command
 */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<number> {
  let status = 0;
  const program = programOf(terminal, (result) => {
    status = result;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return status;
  } catch (error) {
    // commander has written its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    throw error;
  }
}

function programOf(terminal: Terminal, setStatus: (status: number) => void): Command {
  const program = new Command("xgit");
  program
    .description("Serves Git repositories, without a git binary.")
    .version(`xgit ${packageVersion()}`, "--version", "print the version")
    .helpOption("-h, --help", "print this text")
    .addHelpText("after", help.PROGRAM)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    })
    .showHelpAfterError("(xgit --help says more)");
  addServe(program, terminal, setStatus);
  addStdio(program, "git-upload-pack", help.UPLOAD_PACK);
  addStdio(program, "git-receive-pack", help.RECEIVE_PACK);
  return program;
}

interface ServeFlags extends CertificateFlags {
  readonly host: string;
  readonly httpPort?: number | "off";
  readonly gitPort?: number | "off";
  readonly enable: readonly string[];
  readonly createOnPush?: boolean;
  readonly durability: Durability;
  readonly hooks: boolean;
  readonly fsck: FsckPreset;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

function addServe(program: Command, terminal: Terminal, setStatus: (status: number) => void): void {
  program
    .command("serve")
    .summary("serve the repositories below a directory over http:// and git://")
    .description("Serves the repositories below DIR over http:// and git:// until a signal ends it.")
    .argument("[DIR]", "directory of repositories (default: ./repositories, made if absent)")
    .option("--host <HOST>", "address to listen on", "127.0.0.1")
    .option("--http-port <PORT>", "port for http://, 0 for any free one, or off (default: 8418)", parsePort)
    .option("--git-port <PORT>", "port for git://, 0 for any free one, or off (default: 9418)", parsePort)
    .addOption(
      new Option("--enable <SERVICE>", "allow a service: receive-pack")
        .argParser(collectService)
        .default([], "none"),
    )
    .option("--create-on-push", "a push to a repository that is not there makes it")
    .addOption(
      new Option("--durability <WHAT>", "what is on the disk when a push is reported done")
        .choices(["full", "git", "none"])
        .default("full"),
    )
    .option("--no-hooks", "do not run the hooks of repositories")
    .addOption(
      new Option("--fsck <HOW>", "how pushed objects are checked where a repository does not say")
        .choices(["strict", "relaxed", "off"])
        .default("strict"),
    )
    .option("--allowed-signers <FILE>", "whose SSH keys may sign pushes, as ssh-keygen has it")
    .option("--revoked-keys <FILE>", "SSH keys that may not any more: lines, or a KRL")
    .option(
      "--openpgp-keys <FILE>",
      "whose OpenPGP keys may sign pushes, as gpg --export --armor writes them",
    )
    .option("--require-signed-push", "refuse a push that is not well signed")
    .addOption(new Option("-q, --quiet", "log errors only").conflicts("verbose"))
    .option("-v, --verbose", "log more than one line for each request")
    .addHelpText("after", help.SERVE)
    .action(async (directory: string | undefined, flags: ServeFlags) => {
      const { quiet, verbose, createOnPush = false, ...rest } = flags;
      const verbosity: Verbosity = quiet ? "quiet" : verbose ? "verbose" : "normal";
      const { serve } = await import("./serve/serve.ts");
      setStatus(await serve({ directory, ...rest, createOnPush, verbosity }, terminal));
    });
}

/** For the list of commands and for help alone: their command lines are read as git reads its own. */
function addStdio(program: Command, service: ServiceName, text: string): void {
  const isFetch = service === "git-upload-pack";
  const command = program
    .command(service.slice("git-".length))
    .summary(isFetch ? "serve one fetch on stdin and stdout" : "take one push on stdin and stdout")
    .description(
      isFetch
        ? "Sends objects of the repository DIR to a git client on standard input and output."
        : "Takes what a git client on standard input and output pushes into the repository DIR.",
    )
    .argument("<DIR>", "the repository")
    .option("--stateless-rpc", "one round of smart HTTP: read one request, write one answer")
    .option("--http-backend-info-refs", "only announce what there is, and end");
  if (isFetch)
    command
      .option("--strict", "do not try DIR/.git and DIR.git when DIR is no repository")
      .option("--timeout <SECONDS>", "end when the client is silent for so long (default: never)");
  else command.option("--no-hooks", "do not run the repository's hooks");
  command.addHelpText("after", text);
}
