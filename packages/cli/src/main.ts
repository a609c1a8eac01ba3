import type { ServiceName } from "@x/server-core";
import type { DaemonOptions } from "./daemon/daemon-options.ts";
import { CliError } from "./errors.ts";
import type { ShellOptions } from "./shell/shell-options.ts";
import { fatalLines } from "./stdio/fatal-lines.ts";
import { serveStdio } from "./stdio/stdio.ts";
import { parseStdioOptions } from "./stdio/stdio-options.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

/** Git's own exit status for a command line that cannot be read. */
const USAGE = 129;
const FATAL = 128;

const STDIO_COMMANDS: ReadonlyMap<string, ServiceName> = new Map([
  ["upload-pack", "git-upload-pack"],
  ["receive-pack", "git-receive-pack"],
  ["upload-archive", "git-upload-archive"],
]);

const HTTP_BACKEND = "http-backend";

/** Found by these names too. */
const OTHERS: ReadonlySet<string> = new Set([HTTP_BACKEND, "daemon", "shell"]);

/**
 * Runs `xgit`.
 * @param argv without the program's name
 * @returns the exit status. Never throws.
 */
export async function main(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  // A server goes on when nobody reads its log any more; without listeners the process would end.
  terminal.stdout.on("error", () => {});
  terminal.stderr.on("error", () => {});
  try {
    const service = STDIO_COMMANDS.get(argv[0] ?? "");
    const options = service && parseStdioOptions(service, argv.slice(1));
    if (options !== undefined && options !== "help") return await serveStdio(options, terminal);
    if (argv[0] === HTTP_BACKEND && argv.length === 1) {
      const { serveCgi } = await import("./cgi/http-backend.ts");
      return await serveCgi(terminal);
    }
    const shell = argv[0] === "shell" ? await readShellOptions(argv.slice(1)) : undefined;
    if (shell !== undefined && shell !== "help") {
      const { runShell } = await import("./shell/shell.ts");
      return await runShell(shell, terminal);
    }
    const daemon = argv[0] === "daemon" ? await readDaemonOptions(argv.slice(1)) : undefined;
    if (daemon !== undefined && daemon !== "help") {
      const { runDaemon } = await import("./daemon/daemon.ts");
      return await runDaemon(daemon, terminal);
    }
    const { runProgram } = await import("./program.ts");
    return await runProgram(
      [options, shell, daemon].includes("help") ? [argv[0] as string, "--help"] : argv,
      terminal,
    );
  } catch (error) {
    terminal.stderr.write(fatalLines(error));
    return error instanceof CliError && error.code === "cli/usage" ? USAGE : FATAL;
  }
}

async function readShellOptions(argv: readonly string[]): Promise<ShellOptions | "help"> {
  const { parseShellOptions } = await import("./shell/shell-options.ts");
  return parseShellOptions(argv);
}

async function readDaemonOptions(argv: readonly string[]): Promise<DaemonOptions | "help"> {
  const { parseDaemonOptions } = await import("./daemon/daemon-options.ts");
  return parseDaemonOptions(argv);
}

/**
 * The command line by the name that the program was started by: as `git-upload-pack` it is `xgit upload-pack`, so that
 * a link of that name is all that a client needs to find.
 * @param script the path by which it was started
 */
export function commandLine(script: string, argv: readonly string[]): readonly string[] {
  const [, command] = /(?:^|[\\/])git-([^\\/]*?)(?:\.[cm]?js)?$/.exec(script) ?? [];
  return command !== undefined && (STDIO_COMMANDS.has(command) || OTHERS.has(command))
    ? [command, ...argv]
    : argv;
}
