import { bytesFromByteString } from "@x/refs";

/** A program and its arguments, one character for each byte. */
export interface CommandLine {
  /** A path, or with `shell` a command for `sh`. */
  readonly program: string;
  readonly shell: boolean;
  readonly args: readonly string[];
}

const SHELL = "/bin/sh";

/** What to start. Node writes arguments as UTF-8; those that are not UTF-8, as old ref names are, a shell spells out. */
export function toSpawn({ program, shell, args }: CommandLine): { file: string; argv: readonly string[] } {
  const words = shell ? [SHELL, "-c", args.length === 0 ? program : `${program} "$@"`, program] : [program];
  const decoded = args.map(decode);
  if (decoded.every((text) => text !== undefined))
    return { file: words[0] as string, argv: [...words.slice(1), ...decoded] };
  const spelled = args.map((arg) => `"$(printf '${octal(arg)}')"`).join(" ");
  const kept = words.map((_, index) => `"\${${index}}"`).join(" ");
  return { file: SHELL, argv: ["-c", `exec ${kept} ${spelled}`, ...words] };
}

/** The same through the shell, for a script that does not say what is to read it. */
export function throughShell(command: CommandLine): { file: string; argv: readonly string[] } {
  const { file, argv } = toSpawn(command);
  return { file: SHELL, argv: [file, ...argv] };
}

/** The text that a byte string spells, or `undefined`. */
function decode(bytes: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesFromByteString(bytes));
  } catch {
    return undefined;
  }
}

function octal(bytes: string): string {
  return [...bytes].map((char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`).join("");
}
