import { fstatSync } from "node:fs";
import { stat, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Duplex } from "node:stream";
import type { FileHooks } from "@x/file-hooks";
import { combineHooks, createGitService, type FsckPreset, type GitService, type Peer } from "@x/server-core";
import { type Durability, exportedRepositories, type FileConfig, readProtectedConfig } from "@x/storage-fs";
import { createTcpGitServer, serveConnection, type TcpGitServer, type TcpLimits } from "@x/transport-tcp";
import { openStorage } from "../compose.ts";
import { CliError } from "../errors.ts";
import { serveCertificates } from "../serve/serve-certificates.ts";
import { serveHooks } from "../serve/serve-hooks.ts";
import type { Terminal } from "../terminal.ts";
import { packageVersion } from "../version.ts";
import { prepareUser } from "./become-user.ts";
import { type DaemonLog, openDaemonLog } from "./daemon-log.ts";
import type { DaemonOptions } from "./daemon-options.ts";
import { daemonRepositories } from "./daemon-repositories.ts";
import { detach, inBackground, ready } from "./detach.ts";
import { lookUpHost } from "./host-names.ts";
import { listenAddresses } from "./listen-addresses.ts";

/** For requests that run when the server is told to end. Unit: milliseconds. */
const GRACE_MS = 20_000;
/** A timer holds no more. Unit: milliseconds. */
const NEVER_MS = 2 ** 31 - 1;

/** `xgit daemon`. @returns the exit status @throws CliError */
export async function runDaemon(options: DaemonOptions, terminal: Terminal): Promise<number> {
  const { basePath, user, group, inetd } = options;
  const isDirectory = async (path: string) =>
    (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if (basePath !== undefined && !(await isDirectory(basePath)))
    throw new CliError("cli/fatal", `base-path '${basePath}' does not exist or is not a directory`);
  const becomeUser = user === undefined ? undefined : await prepareUser(user, group);
  if (options.detach && !inBackground(terminal.env)) return detach(terminal.env);
  const log = openDaemonLog(options.logDestination, {
    verbose: options.verbose,
    stderr: terminal.stderr,
    pid: process.pid,
  });
  const { service, close } = await openService(options, terminal, log);
  try {
    if (inetd) await serveStandardInput(service, options, terminal, log);
    else return await serveUntilSignal({ service, options, terminal, log, becomeUser, close });
    return 0;
  } finally {
    await close();
    await log.close();
  }
}

interface Opened {
  readonly service: GitService;
  /** Ends hooks and workers. */
  readonly close: () => Promise<void>;
}

async function openService(options: DaemonOptions, terminal: Terminal, log: DaemonLog): Promise<Opened> {
  const { env } = terminal;
  const { logger } = log;
  const storage = openStorage({ logger, durability: durabilityOf(env.XGIT_DURABILITY) });
  const policies = [...options.services];
  const services = policies.filter(([, { enabled, overridable }]) => enabled || overridable);
  const exported = exportedRepositories({
    ...options,
    basePath: options.basePath === undefined ? undefined : resolve(options.basePath),
    lookUpHost,
  });
  let hooks: FileHooks | undefined;
  try {
    const scripts = options.hooks ? await serveHooks(terminal, logger) : undefined;
    hooks = scripts?.hooks;
    const certificates = await serveCertificates({}, terminal, logger);
    const service = createGitService({
      repositories: daemonRepositories({
        options,
        exported,
        open: (layout) => storage.open(layout),
        machineConfig: await machineConfig(env),
        lookUpHost,
        env,
        log,
      }),
      services: services.map(([name]) => name),
      fsck: fsckOf(env.XGIT_FSCK),
      logger,
      agent: `xgit/${packageVersion()}`,
      verifyPush: certificates.verifyPush,
      hooks: combineHooks(...[hooks].filter((part) => part !== undefined)),
    });
    const close = async () => {
      await hooks?.close();
      await storage.close();
    };
    return { service, close };
  } catch (error) {
    await hooks?.close();
    await storage.close();
    throw error;
  }
}

/** Settings are read anew no more often. Unit: milliseconds. */
const REREAD_MS = 1000;

/** The settings of the machine and the user; those of before where they cannot be read any more. */
async function machineConfig(env: Terminal["env"]): Promise<() => Promise<FileConfig>> {
  let known = await readProtectedConfig(env);
  let until = performance.now() + REREAD_MS;
  return async () => {
    if (performance.now() < until) return known;
    until = performance.now() + REREAD_MS;
    known = await readProtectedConfig(env).catch(() => known);
    return known;
  };
}

/** Other words than these are passed over: what is safe holds then. */
function durabilityOf(word: string | undefined): Durability {
  return word === "git" || word === "none" ? word : "full";
}

function fsckOf(word: string | undefined): FsckPreset {
  return word === "relaxed" || word === "off" ? word : "strict";
}

/** Where the command line says nothing, the limits are those of every git:// server; git-daemon has none. */
function limitsOf({ timeout, initTimeout, maxConnections }: DaemonOptions): Partial<TcpLimits> {
  const limits: { -readonly [Name in keyof TcpLimits]?: TcpLimits[Name] } = {
    maxConnections: maxConnections === 0 ? Number.POSITIVE_INFINITY : maxConnections,
  };
  const first = initTimeout || timeout || initTimeout;
  if (first !== undefined) limits.initTimeoutMs = milliseconds(first);
  if (timeout !== undefined) {
    limits.readIdleTimeoutMs = milliseconds(timeout);
    limits.writeIdleTimeoutMs = milliseconds(timeout);
    limits.slowGraceMs = milliseconds(timeout * 5);
    if (timeout === 0) {
      limits.receivePackIdleTimeoutMs = NEVER_MS;
      limits.receivePackSlowGraceMs = NEVER_MS;
    }
  }
  return limits;
}

function milliseconds(seconds: number): number {
  return seconds === 0 ? NEVER_MS : Math.min(seconds * 1000, NEVER_MS);
}

async function serveStandardInput(
  service: GitService,
  options: DaemonOptions,
  { stdin, stdout, env }: Terminal,
  { logger }: DaemonLog,
): Promise<void> {
  const limits = limitsOf(options);
  // A pipe has nothing that could be reset.
  const isSocket = stdin === process.stdin && fstatSync(0).isSocket();
  await serveConnection(
    Duplex.from({ readable: stdin, writable: stdout }),
    { peer: peerOf(env) },
    {
      service,
      logger,
      informativeErrors: options.informativeErrors,
      limits: isSocket ? limits : { ...limits, lingerTimeoutMs: 0 },
    },
  );
}

/** As inetd's like have it. */
function peerOf({ REMOTE_ADDR: address, REMOTE_PORT: port = "" }: Terminal["env"]): Peer {
  return {
    address: address?.replace(/^\[(.*)\]$/, "$1"),
    port: /^[0-9]{1,5}$/.test(port) ? Number(port) : undefined,
  };
}

interface Serving extends Opened {
  readonly options: DaemonOptions;
  readonly terminal: Terminal;
  readonly log: DaemonLog;
  readonly becomeUser: (() => void) | undefined;
}

async function serveUntilSignal({
  service,
  options,
  terminal,
  log,
  becomeUser,
  close,
}: Serving): Promise<number> {
  const { port, pidFile, informativeErrors, listen } = options;
  if (pidFile !== undefined) await writePidFile(pidFile);
  const server = createTcpGitServer({
    service,
    addresses: await listenAddresses(listen, port, log),
    logger: log.logger,
    informativeErrors,
    limits: limitsOf(options),
    onAddressFailure: ({ host }, error) => log.error(`Could not bind to ${host}: ${error.message}`),
  });
  try {
    await server.listen();
  } catch (cause) {
    const message = `unable to allocate any listen sockets on port ${port}`;
    throw new CliError("cli/fatal", message, { cause });
  }
  const ended = untilSignal(terminal, server, close);
  try {
    becomeUser?.();
  } catch (error) {
    await server.close();
    throw error;
  }
  log.info("Ready to rumble");
  if (inBackground(terminal.env)) ready();
  return ended;
}

async function writePidFile(path: string): Promise<void> {
  try {
    await writeFile(path, `${process.pid}\n`);
  } catch (cause) {
    throw new CliError("cli/fatal", `could not open '${path}' for writing`, { cause });
  }
}

/**
 * The first signal lets running requests end; the second does not wait for them.
 * @returns what a shell sees of a process that a signal has ended, as git-daemon has it
 */
function untilSignal(terminal: Terminal, server: TcpGitServer, close: () => Promise<void>): Promise<number> {
  return new Promise((done) => {
    let ending = false;
    const stop = terminal.onSignal((status) => {
      const end = () => {
        stop();
        done(status);
      };
      if (ending) return end();
      ending = true;
      // Whatever runs after a push holds its connection.
      const late = setTimeout(() => void close(), GRACE_MS);
      void server.close({ graceMs: GRACE_MS }).then(() => {
        clearTimeout(late);
        end();
      });
    });
  });
}
