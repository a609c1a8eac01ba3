import type { ServiceName } from "@x/server-core";
import { Command, CommanderError, Option } from "commander";
import { collectService, parsePort, parseSeconds } from "./args.ts";
import { CliError } from "./errors.ts";
import { fatalLines } from "./fatal-lines.ts";
import * as help from "./help.ts";
import { serve } from "./serve.ts";
import { serveStdio } from "./stdio.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { packageVersion } from "./version.ts";

/** Git's own exit status for a command line that cannot be read. */
const USAGE = 129;
const FATAL = 128;

/**
 * Runs `xgit`.
 * @param argv without the program's name
 * @returns the exit status. Never throws.
 */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  // A server goes on when nobody reads its log any more; without listeners the process would end.
  terminal.stdout.on("error", () => {});
  terminal.stderr.on("error", () => {});
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
    terminal.stderr.write(fatalLines(error));
    return error instanceof CliError && error.code === "cli/usage" ? USAGE : FATAL;
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
  addStdio(program, "git-upload-pack", help.UPLOAD_PACK, terminal, setStatus);
  addStdio(program, "git-receive-pack", help.RECEIVE_PACK, terminal, setStatus);
  return program;
}

interface ServeFlags {
  readonly host: string;
  readonly httpPort?: number | "off";
  readonly gitPort?: number | "off";
  readonly enable: readonly string[];
  readonly createOnPush?: boolean;
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
    .addOption(new Option("-q, --quiet", "log errors only").conflicts("verbose"))
    .option("-v, --verbose", "log more than one line for each request")
    .addHelpText("after", help.SERVE)
    .action(async (directory: string | undefined, flags: ServeFlags) => {
      const { host, httpPort, gitPort, enable, createOnPush = false } = flags;
      const verbosity = flags.quiet ? "quiet" : flags.verbose ? "verbose" : "normal";
      setStatus(
        await serve({ directory, host, httpPort, gitPort, enable, createOnPush, verbosity }, terminal),
      );
    });
}

interface StdioFlags {
  readonly strict?: boolean;
  readonly statelessRpc?: boolean;
  readonly httpBackendInfoRefs?: boolean;
  readonly advertiseRefs?: boolean;
  readonly timeout?: number;
}

function addStdio(
  program: Command,
  service: ServiceName,
  text: string,
  terminal: Terminal,
  setStatus: (status: number) => void,
): void {
  const command = program
    .command(service.slice("git-".length))
    .summary(
      service === "git-upload-pack"
        ? "serve one fetch on stdin and stdout"
        : "take one push on stdin and stdout",
    )
    .description(
      service === "git-upload-pack"
        ? "Sends objects of the repository DIR to a git client on standard input and output."
        : "Takes what a git client on standard input and output pushes into the repository DIR.",
    )
    .argument("<DIR>", "the repository")
    .option("--stateless-rpc", "one round of smart HTTP: read one request, write one answer")
    .option("--http-backend-info-refs", "only announce what there is, and end")
    .addOption(new Option("--advertise-refs", "the old name of --http-backend-info-refs").hideHelp());
  if (service === "git-upload-pack")
    command
      .option("--strict", "do not try DIR/.git and DIR.git when DIR is no repository")
      .option(
        "--timeout <SECONDS>",
        "end when the client is silent for so long (default: never)",
        parseSeconds,
      );
  else command.addOption(new Option("-q, --quiet", "taken for git's sake").hideHelp());
  command.addHelpText("after", text).action(async (directory: string, flags: StdioFlags) => {
    const { strict = false, statelessRpc = false, timeout = 0 } = flags;
    const advertiseRefs = flags.httpBackendInfoRefs === true || flags.advertiseRefs === true;
    const options = { service, directory, strict, statelessRpc, advertiseRefs, timeout };
    setStatus(await serveStdio(options, terminal));
  });
}
