import type { ServiceName } from "@x/server-core";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";

/** Where the log goes. */
export type LogDestination = "stderr" | "syslog" | "none";

/** Whether a service is on, and whether a repository's `daemon.<service>` may say otherwise. */
interface ServicePolicy {
  readonly enabled: boolean;
  readonly overridable: boolean;
}

/** `xgit daemon`, as its flags say. */
export interface DaemonOptions {
  readonly verbose: boolean;
  readonly logDestination: LogDestination;
  readonly inetd: boolean;
  readonly detach: boolean;
  readonly listen: readonly string[];
  readonly port: number;
  readonly pidFile: string | undefined;
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly exportAll: boolean;
  readonly strictPaths: boolean;
  readonly basePath: string | undefined;
  readonly basePathRelaxed: boolean;
  readonly interpolatedPath: string | undefined;
  readonly userPath: string | undefined;
  readonly followLinks: boolean;
  readonly directories: readonly string[];
  readonly services: ReadonlyMap<ServiceName, ServicePolicy>;
  /** Unit: seconds; 0 for never. */
  readonly timeout: number | undefined;
  /** Unit: seconds; 0 for never. */
  readonly initTimeout: number | undefined;
  /** 0 for any number. */
  readonly maxConnections: number;
  readonly accessHook: string | undefined;
  readonly informativeErrors: boolean;
  readonly hooks: boolean;
}

const USAGE = `usage: xgit daemon [--verbose] [--syslog] [--export-all]
                   [--timeout=<n>] [--init-timeout=<n>] [--max-connections=<n>]
                   [--strict-paths] [--base-path=<path>] [--base-path-relaxed]
                   [--user-path | --user-path=<path>]
                   [--interpolated-path=<path>] [--follow-links]
                   [--reuseaddr] [--pid-file=<file>] [--no-hooks]
                   [--(enable|disable|allow-override|forbid-override)=<service>]
                   [--access-hook=<path>] [--[no-]informative-errors]
                   [--inetd | [--listen=<host_or_ipaddr>] [--port=<n>]
                              [--detach] [--user=<user> [--group=<group>]]
                   [--log-destination=(stderr|syslog|none)]
                   [<directory>...]
`;

const GIT_PORT = 9418;
const MAX_CONNECTIONS = 32;
const MAX_UNSIGNED = 2 ** 32 - 1;
const MAX_INT = 2 ** 31 - 1;

/** The names of services on the command line, and in `daemon.*`. */
export const DAEMON_SERVICES: ReadonlyMap<string, { readonly service: ServiceName; readonly key: string }> =
  new Map([
    ["upload-archive", { service: "git-upload-archive", key: "daemon.uploadarch" }],
    ["upload-pack", { service: "git-upload-pack", key: "daemon.uploadpack" }],
    ["receive-pack", { service: "git-receive-pack", key: "daemon.receivepack" }],
  ] as const);

type Flags = { -readonly [Name in keyof DaemonOptions]: DaemonOptions[Name] };

/**
 * Reads the command line as git-daemon does: values stand behind `=`, and what does not start with `-` ends the flags.
 * @param argv what comes after the command's name
 * @returns `help` when that is asked for
 * @throws CliError `cli/usage`, `cli/fatal`, in git's words. Spec: git-daemon, "OPTIONS"
 */
export function parseDaemonOptions(argv: readonly string[]): DaemonOptions | "help" {
  const reading = new Reading();
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === "-h" || word === "--help") return "help";
    if (word === "--") {
      at++;
      break;
    }
    if (!word.startsWith("-")) break;
    reading.take(word);
  }
  return reading.finish(argv.slice(at));
}

class Reading {
  readonly #services = new Map<ServiceName, ServicePolicy>(
    [...DAEMON_SERVICES.values()].map(({ service }) => [
      service,
      { enabled: service === "git-upload-pack", overridable: true },
    ]),
  );
  readonly #listen: string[] = [];
  #port = 0;
  #logDestination: LogDestination | undefined;
  readonly #flags: Omit<Flags, "listen" | "port" | "services" | "logDestination" | "directories"> = {
    verbose: false,
    inetd: false,
    detach: false,
    pidFile: undefined,
    user: undefined,
    group: undefined,
    exportAll: false,
    strictPaths: false,
    basePath: undefined,
    basePathRelaxed: false,
    interpolatedPath: undefined,
    userPath: undefined,
    followLinks: false,
    timeout: undefined,
    initTimeout: undefined,
    maxConnections: MAX_CONNECTIONS,
    accessHook: undefined,
    informativeErrors: false,
    hooks: true,
  };

  take(word: string): void {
    const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (!(value === undefined ? this.#takeSwitch(name) : this.#takeValue(name, value)))
      throw new CliError("cli/usage", `unknown option \`${printable(word.replace(/^--?/, ""))}'`, {
        after: USAGE,
      });
  }

  #takeSwitch(name: string): boolean {
    const flags = this.#flags;
    switch (name) {
      case "verbose":
      case "inetd":
      case "detach":
        flags[name] = true;
        return true;
      case "syslog":
        this.#logDestination = "syslog";
        return true;
      case "export-all":
        flags.exportAll = true;
        return true;
      case "strict-paths":
        flags.strictPaths = true;
        return true;
      case "base-path-relaxed":
        flags.basePathRelaxed = true;
        return true;
      case "user-path":
        flags.userPath = "";
        return true;
      case "follow-links":
        flags.followLinks = true;
        return true;
      case "informative-errors":
      case "no-informative-errors":
        flags.informativeErrors = name === "informative-errors";
        return true;
      case "hooks":
      case "no-hooks":
        flags.hooks = name === "hooks";
        return true;
      default:
        // The system's own setting for it is always on here.
        return name === "reuseaddr";
    }
  }

  #takeValue(name: string, value: string): boolean {
    const flags = this.#flags;
    switch (name) {
      case "listen":
        this.#listen.push(value.toLowerCase());
        return true;
      case "port":
        return this.#takePort(value);
      case "log-destination":
        if (value !== "stderr" && value !== "syslog" && value !== "none")
          throw fatal(`unknown log destination '${printable(value)}'`);
        this.#logDestination = value;
        return true;
      case "timeout":
        flags.timeout = unsigned(name, value);
        return true;
      case "init-timeout":
        flags.initTimeout = unsigned(name, value);
        return true;
      case "max-connections":
        flags.maxConnections = Math.max(0, integer(name, value));
        return true;
      case "base-path":
        flags.basePath = value;
        return true;
      case "interpolated-path":
        flags.interpolatedPath = value;
        return true;
      case "user-path":
        flags.userPath = value;
        return true;
      case "pid-file":
        flags.pidFile = value;
        return true;
      case "access-hook":
        flags.accessHook = value;
        return true;
      case "user":
      case "group":
        flags[name] = value;
        return true;
      case "enable":
      case "disable":
        this.#change(value, { enabled: name === "enable" });
        return true;
      case "allow-override":
      case "forbid-override":
        this.#change(value, { overridable: name === "allow-override" });
        return true;
      default:
        return false;
    }
  }

  /** Decimal, or as C has it hexadecimal or octal. */
  #takePort(text: string): boolean {
    if (!/^(?:0x[0-9a-f]{1,8}|[0-9]{1,8})$/i.test(text)) return false;
    const port = /^0[0-7]+$/.test(text) ? Number(`0o${text}`) : Number(text);
    if (port > 65535) return false;
    this.#port = port;
    return true;
  }

  #change(name: string, change: Partial<ServicePolicy>): void {
    const known = DAEMON_SERVICES.get(name);
    const policy = known && this.#services.get(known.service);
    if (known === undefined || policy === undefined) throw fatal(`No such service ${printable(name)}`);
    this.#services.set(known.service, { ...policy, ...change });
  }

  finish(directories: readonly string[]): DaemonOptions {
    const { inetd, detach, user, group, strictPaths } = this.#flags;
    if (inetd && (detach || group !== undefined || user !== undefined))
      throw fatal("--detach, --user and --group are incompatible with --inetd");
    if (inetd && (this.#port !== 0 || this.#listen.length > 0))
      throw fatal("--listen= and --port= are incompatible with --inetd");
    if (group !== undefined && user === undefined) throw fatal("--group supplied without --user");
    if (strictPaths && directories.length === 0)
      throw fatal("option --strict-paths requires '<directory>' arguments");
    return {
      ...this.#flags,
      directories,
      services: this.#services,
      listen: this.#listen,
      port: this.#port || GIT_PORT,
      logDestination: this.#logDestination ?? (inetd || detach ? "syslog" : "stderr"),
    };
  }
}

function unsigned(name: string, text: string): number {
  const number = /^\s*\+?[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= MAX_UNSIGNED) return number;
  throw fatal(`invalid ${name} '${printable(text)}', expecting a non-negative integer`);
}

function integer(name: string, text: string): number {
  const number = /^\s*[+-]?[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Math.abs(number) <= MAX_INT) return number;
  throw fatal(`invalid ${name} '${printable(text)}', expecting an integer`);
}

function fatal(message: string): CliError {
  return new CliError("cli/fatal", message);
}
