import { refused } from "../session.ts";

/** What `git archive` was asked for, as its words say. One character for each byte. */
export interface ArchiveOptions {
  readonly list: boolean;
  readonly format: string;
  readonly prefix: string;
  /** As written. */
  readonly mtime: string | undefined;
  readonly level: number | undefined;
  readonly verbose: boolean;
  readonly worktreeAttributes: boolean;
  readonly treeish: string;
  readonly paths: readonly string[];
}

/** The words cannot be read: the client is shown how they should be. */
export class ArchiveUsage extends Error {
  override readonly name = "ArchiveUsage";
}

type Flag =
  | "format"
  | "prefix"
  | "add-file"
  | "add-virtual-file"
  | "output"
  | "worktree-attributes"
  | "verbose"
  | "mtime"
  | "list"
  | "remote"
  | "exec";

/** Whether a flag takes a value, in git's order. */
const FLAGS: ReadonlyMap<Flag, boolean> = new Map([
  ["format", true],
  ["prefix", true],
  ["add-file", true],
  ["add-virtual-file", true],
  ["output", true],
  ["worktree-attributes", false],
  ["verbose", false],
  ["mtime", true],
  ["list", false],
  ["remote", true],
  ["exec", true],
]);

const SHORT: ReadonlyMap<string, Flag> = new Map([
  ["o", "output"],
  ["v", "verbose"],
  ["l", "list"],
]);

/**
 * Reads the words of a request as `git archive` reads its command line: flags anywhere, unique beginnings of them.
 * @throws ArchiveUsage; ServiceError `server-core/refused` for what no server does. Spec: git-archive, "OPTIONS"
 */
export function parseArchiveOptions(words: readonly string[]): ArchiveOptions {
  const set = new Map<Flag, string | true>();
  const others: string[] = [];
  let level: number | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === "--" || word === "--end-of-options") {
      others.push(...words.slice(at + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      others.push(word);
      continue;
    }
    if (word.startsWith("--")) {
      const [, no, name = "", value] = /^--(no-)?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const flag = findFlag(name, word);
      const takesValue = FLAGS.get(flag) === true;
      if (no !== undefined) {
        if (flag === "mtime") throw new ArchiveUsage(`error: unknown option \`${word.slice(2)}'\n`);
        set.delete(flag);
      } else if (takesValue) {
        const given = value ?? words[++at];
        if (given === undefined) throw new ArchiveUsage(`error: option \`${flag}' requires a value\n`);
        set.set(flag, given);
      } else if (value !== undefined) throw new ArchiveUsage(`error: option \`${flag}' takes no value\n`);
      else set.set(flag, true);
      continue;
    }
    for (let rest = word.slice(1); rest !== ""; ) {
      const [digits] = /^[0-9]{1,9}/.exec(rest) ?? [];
      if (digits !== undefined) {
        level = Number(digits);
        rest = rest.slice(digits.length);
        continue;
      }
      const flag = SHORT.get(rest.charAt(0));
      if (rest.startsWith("h")) throw new ArchiveUsage("");
      if (flag === undefined) throw new ArchiveUsage(`error: unknown switch \`${rest.charAt(0)}'\n`);
      rest = rest.slice(1);
      if (flag !== "output") set.set(flag, true);
      else {
        set.set(flag, rest === "" ? (words[++at] ?? "") : rest);
        rest = "";
      }
    }
  }
  refuseLocal(set);
  const list = set.has("list");
  if (list && others.length > 0) throw refused(`extra command line parameter '${others[0]}'`);
  const [treeish, ...paths] = others;
  if (treeish === undefined && !list) throw new ArchiveUsage("");
  const text = (flag: Flag) => {
    const value = set.get(flag);
    return value === true ? undefined : value;
  };
  return {
    list,
    format: text("format") ?? "tar",
    prefix: text("prefix") ?? "",
    mtime: text("mtime"),
    level,
    verbose: set.has("verbose"),
    worktreeAttributes: set.has("worktree-attributes"),
    treeish: treeish ?? "",
    paths,
  };
}

/** What is about the client's own files, or about yet another server. */
function refuseLocal(set: ReadonlyMap<Flag, unknown>): void {
  if (set.has("remote")) throw refused("Unexpected option --remote");
  if (set.has("exec")) throw refused("the option '--exec' requires '--remote'");
  if (set.has("output")) throw refused("Unexpected option --output");
  if (set.has("add-file") || set.has("add-virtual-file"))
    throw refused("options '--add-file' and '--remote' cannot be used together");
}

function findFlag(name: string, word: string): Flag {
  const flags = [...FLAGS.keys()];
  const exact = flags.find((flag) => flag === name);
  if (exact !== undefined) return exact;
  const [first, second] = name === "" ? [] : flags.filter((flag) => flag.startsWith(name));
  if (first === undefined) throw new ArchiveUsage(`error: unknown option \`${word.slice(2)}'\n`);
  if (second !== undefined)
    throw new ArchiveUsage(`error: ambiguous option: ${name} (could be --${first} or --${second})\n`);
  return first;
}
