import { type Finished, type GitOptions, git, tryGit } from "@tooling/test-kit";
import { BIN, type Server } from "./server.ts";

export const TRANSPORTS = ["git", "http", "stdio"] as const;
export type Transport = (typeof TRANSPORTS)[number];
export const VERSIONS = [0, 1, 2] as const;
export type Version = (typeof VERSIONS)[number];
export const FORMATS = ["sha1", "sha256"] as const;
export type Format = (typeof FORMATS)[number];

export const IS_DRILL: boolean = process.env.DRILL === "full";

/** How stock git reaches a server: through which transport, and in which version of the protocol. */
export interface Way {
  readonly transport: Transport | "stock";
  readonly version: Version;
  url(repository: string): string;
  /** Runs git with what this way needs; `args[0]` is git's command. @throws Error when it fails */
  git(args: readonly string[], options?: GitOptions): Promise<string>;
  /** The same, without throwing. */
  tryGit(args: readonly string[], options?: GitOptions): Promise<Finished>;
}

/** Our command, as a shell takes it. */
export const XGIT: string = `'${process.execPath}' '${BIN}'`;

/** A way to our server; to the very directories, through our stdio commands, with `stdio`. */
export function wayTo(
  server: Pick<Server, "root" | "http" | "git">,
  transport: Transport,
  version: Version,
): Way {
  const base = { git: server.git, http: server.http, stdio: `file://${server.root}` }[transport];
  return makeWay(transport, version, base, transport === "stdio" ? XGIT : undefined);
}

/** The way to the same repositories with C git's own server programs. */
export function stockWay(root: string, version: Version): Way {
  return makeWay("stock", version, `file://${root}`, undefined);
}

function makeWay(
  transport: Way["transport"],
  version: Version,
  base: string,
  command: string | undefined,
): Way {
  const full = ([name = "", ...rest]: readonly string[]) => {
    const service = name === "push" || name === "send-pack" ? "receive-pack" : "upload-pack";
    const program = command === undefined ? [] : [`--${service}=${command} ${service}`];
    return ["-c", `protocol.version=${version}`, name, ...program, ...rest];
  };
  return {
    transport,
    version,
    url: (repository) => `${base}/${repository}`,
    git: (args, options) => git(full(args), options),
    tryGit: (args, options) => tryGit(full(args), options),
  };
}

/**
 * Every two of transport, version and object format together in some case; with DRILL=full every three
 * (`pnpm drill:ways`).
 */
export const COMBINATIONS: readonly {
  readonly label: string;
  readonly transport: Transport;
  readonly version: Version;
  readonly format: Format;
}[] = FORMATS.flatMap((format, f) =>
  TRANSPORTS.flatMap((transport, t) =>
    VERSIONS.filter((version) => IS_DRILL || (f + t + version) % 2 === 0).map((version) => ({
      label: `${transport}, v${version}, ${format}`,
      transport,
      version,
      format,
    })),
  ),
);

const asked = new Map<string, Promise<unknown>>();
/** C git's own server is asked once for each question, not once for each transport. */
export function once<T>(way: Way, question: readonly string[], ask: () => Promise<T>): Promise<T> {
  const key = JSON.stringify([way.version, question]);
  const answer = (asked.get(key) as Promise<T> | undefined) ?? ask();
  asked.set(key, answer);
  return answer;
}
