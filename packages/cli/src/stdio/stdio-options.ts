import type { ServiceName } from "@x/server-core";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";

/** `xgit upload-pack` and `xgit receive-pack`, as their flags say. */
export interface StdioOptions {
  readonly service: ServiceName;
  readonly directory: string;
  /** Take the directory as it is written. */
  readonly strict: boolean;
  readonly statelessRpc: boolean;
  readonly advertiseRefs: boolean;
  /** The client may stay silent that long; 0 is for ever. Unit: seconds. */
  readonly timeout: number;
  /** Run the repository's hooks. */
  readonly hooks: boolean;
  /** Believe that all is there which pushed objects refer to. */
  readonly skipConnectivityCheck: boolean;
  /** Refuse packs whose deltas have bases outside of them: a test of clients. */
  readonly rejectThin: boolean;
}

interface Flag {
  readonly name:
    | "stateless-rpc"
    | "http-backend-info-refs"
    | "strict"
    | "timeout"
    | "quiet"
    | "hooks"
    | "skip-connectivity-check"
    | "reject-thin-pack-for-testing";
  readonly long: string;
}

const COMMON: readonly Flag[] = [
  { long: "stateless-rpc", name: "stateless-rpc" },
  { long: "http-backend-info-refs", name: "http-backend-info-refs" },
  { long: "advertise-refs", name: "http-backend-info-refs" },
];
const FLAGS: Readonly<Record<ServiceName, readonly Flag[]>> = {
  "git-upload-pack": [...COMMON, { long: "strict", name: "strict" }, { long: "timeout", name: "timeout" }],
  "git-receive-pack": [
    ...COMMON,
    { long: "quiet", name: "quiet" },
    { long: "hooks", name: "hooks" },
    { long: "skip-connectivity-check", name: "skip-connectivity-check" },
    { long: "reject-thin-pack-for-testing", name: "reject-thin-pack-for-testing" },
  ],
  "git-upload-archive": [],
};

const USAGE: Readonly<Record<ServiceName, string>> = {
  "git-upload-pack":
    "usage: xgit upload-pack [--[no-]strict] [--timeout=<n>] [--stateless-rpc]\n" +
    "                        [--advertise-refs] <directory>\n",
  "git-receive-pack":
    "usage: xgit receive-pack [--stateless-rpc] [--advertise-refs] [--no-hooks] <directory>\n",
  "git-upload-archive": "usage: xgit upload-archive <directory>\n",
};

/**
 * Reads the command line as git's own commands do: flags anywhere, `--no-` before them, unique beginnings of them.
 * @param argv what comes after the command's name
 * @returns `help` when that is asked for
 * @throws CliError `cli/usage`. Spec: gitcli; git-upload-pack, "OPTIONS"
 */
export function parseStdioOptions(service: ServiceName, argv: readonly string[]): StdioOptions | "help" {
  const set = new Map<Flag["name"], number>();
  const directories: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === "--") {
      directories.push(...argv.slice(at + 1));
      break;
    }
    if (word === "-h" || word === "--help") return "help";
    if (!word.startsWith("-") || word === "-") directories.push(word);
    else if (!word.startsWith("--")) {
      if (service !== "git-receive-pack" || !/^-q+$/.test(word))
        throw usage(service, `unknown switch \`${printable(word.charAt(1))}'`);
    } else {
      const [, no, name = "", value] = /^--(no-)?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const flag = findFlag(service, name, word);
      const negated = no !== undefined;
      if (flag.name !== "timeout" || negated) {
        if (value !== undefined)
          throw usage(service, `option \`${word.slice(2, word.indexOf("="))}' takes no value`);
        set.set(flag.name, negated ? 0 : 1);
      } else {
        const text = value ?? argv[++at];
        if (text === undefined) throw usage(service, "option `timeout' requires a value");
        set.set("timeout", parseTimeout(service, text));
      }
    }
  }
  const [directory, ...more] = directories;
  if (directory === undefined) throw usage(service, "you must specify a directory");
  if (more.length > 0) throw usage(service, "too many arguments");
  const isSet = (name: Flag["name"]) => (set.get(name) ?? 0) !== 0;
  return {
    service,
    directory,
    strict: isSet("strict"),
    statelessRpc: isSet("stateless-rpc"),
    advertiseRefs: isSet("http-backend-info-refs"),
    timeout: set.get("timeout") ?? 0,
    hooks: service === "git-receive-pack" && set.get("hooks") !== 0,
    skipConnectivityCheck: isSet("skip-connectivity-check"),
    rejectThin: isSet("reject-thin-pack-for-testing"),
  };
}

function findFlag(service: ServiceName, name: string, word: string): Flag {
  const flags = FLAGS[service];
  const exact = flags.find(({ long }) => long === name);
  if (exact !== undefined) return exact;
  const fits = name === "" ? [] : flags.filter(({ long }) => long.startsWith(name));
  const [first, second] = fits;
  if (first === undefined) throw usage(service, `unknown option \`${printable(word.slice(2))}'`);
  if (second === undefined) return first;
  throw usage(service, `ambiguous option: ${name} (could be --${first.long} or --${second.long})`);
}

const SCALE: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
]);

/** A timer holds no more. Unit: seconds. */
const MAX_TIMEOUT = 2 ** 31 / 1000 - 1;

function parseTimeout(service: ServiceName, text: string): number {
  const match = /^([0-9]{1,10})([kmg]?)$/i.exec(text);
  if (match === null)
    throw usage(service, "option `timeout' expects an integer value with an optional k/m/g suffix");
  const seconds = Number(match[1]) * (SCALE.get((match[2] ?? "").toLowerCase()) ?? 1);
  return Math.min(seconds, Math.floor(MAX_TIMEOUT));
}

function usage(service: ServiceName, message: string): CliError {
  return new CliError("cli/usage", message, { after: USAGE[service] });
}
