import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";

/** `xgit shell`, as its flags say. */
export interface ShellOptions {
  /** What sshd has for a login shell; `SSH_ORIGINAL_COMMAND` when not given. */
  readonly command?: string | undefined;
  /** Whose key it was. */
  readonly user?: string | undefined;
  /** Serve what lies below and nothing else. */
  readonly root?: string | undefined;
  /** Where links and alternates of what lies there may lead, too. */
  readonly alsoWithin?: string | undefined;
  /** Rules for repositories below the root. */
  readonly accessFile?: string | undefined;
}

const USAGE =
  "usage: xgit shell [--user=<name>] [--root=<dir> [--also-within=<dir>] [--access=<file>]] [-c <command>]\n";

const NAMES: ReadonlyMap<string, keyof ShellOptions> = new Map([
  ["-c", "command"],
  ["--user", "user"],
  ["--root", "root"],
  ["--also-within", "alsoWithin"],
  ["--access", "accessFile"],
]);

/**
 * Reads the command line by hand: this is started for every fetch.
 * @returns `help` when that is asked for
 * @throws CliError `cli/usage`
 */
export function parseShellOptions(argv: readonly string[]): ShellOptions | "help" {
  const options: { -readonly [name in keyof ShellOptions]: string } = {};
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === "-h" || word === "--help") return "help";
    const [, flag = "", joined] = /^(-c|--[a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const name = NAMES.get(flag);
    if (name === undefined) throw usage(`unknown argument '${printable(word)}'`);
    if (options[name] !== undefined) throw usage(`${flag} is given twice`);
    const value = joined ?? argv[++at];
    if (value === undefined || (value === "" && name !== "command")) throw usage(`${flag} needs a value`);
    options[name] = value;
  }
  if (options.accessFile !== undefined && options.root === undefined)
    throw usage("--access needs --root: rules are for names below it");
  if (options.alsoWithin !== undefined && options.root === undefined)
    throw usage("--also-within needs --root");
  return options;
}

function usage(message: string): CliError {
  return new CliError("cli/usage", message, { after: USAGE });
}
