import { bytesFromByteString } from "@x/refs";

/** A program and its arguments, one character for each byte. */
export interface CommandLine {
  /** A path, or with `shell` a command for `sh`. */
  readonly program: string;
  readonly shell: boolean;
  readonly args: readonly string[];
  /** Variables whose values are no UTF-8, one character for each byte. */
  readonly variables?: ReadonlyMap<string, string>;
}

const SHELL = "/bin/sh";

/**
 * What to start. Node writes arguments and variables as UTF-8; what is not UTF-8, as old ref names are not, a shell spells
 * out.
 */
export function toSpawn({ program, shell, args, variables = new Map() }: CommandLine): {
  file: string;
  argv: readonly string[];
} {
  const words = shell ? [SHELL, "-c", args.length === 0 ? program : `${program} "$@"`, program] : [program];
  const decoded = args.map(utf8Text);
  if (variables.size === 0 && decoded.every((text) => text !== undefined))
    return { file: words[0] as string, argv: [...words.slice(1), ...decoded] };
  const set = [...variables].map(([name, value]) => `${name}=${spelled(value)}; export ${name}; `).join("");
  const kept = words.map((_, index) => `"\${${index}}"`);
  const script = `${set}exec ${[...kept, ...args.map(spelled)].join(" ")}`;
  return { file: SHELL, argv: ["-c", script, ...words] };
}

/** The same through the shell, for a script that does not say what is to read it. */
export function throughShell(command: CommandLine): { file: string; argv: readonly string[] } {
  const { file, argv } = toSpawn(command);
  return { file: SHELL, argv: [file, ...argv] };
}

/** The text that a byte string spells, or `undefined`. */
export function utf8Text(bytes: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesFromByteString(bytes));
  } catch {
    return undefined;
  }
}

/** What it stands for ends in no line feed, which the shell would take away. */
function spelled(bytes: string): string {
  const digits = [...bytes].map((char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return `"$(printf '${digits.join("")}')"`;
}
