import { mkdir, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { FileHooks } from "@x/file-hooks";
import {
  combineHooks,
  createGitService,
  type FsckPreset,
  type GitService,
  type Logger,
  type ServiceName,
} from "@x/server-core";
import type { Durability } from "@x/storage-fs";
import { createFetchHandler } from "@x/transport-http";
import { createNodeHttpServer } from "@x/transport-http/node";
import { createTcpGitServer, GIT_PORT } from "@x/transport-tcp";
import { isLoopback } from "../args.ts";
import { openStorage, type Storage } from "../compose.ts";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { packageVersion } from "../version.ts";
import { type Address, baseUrl, cloneLine, findRepositoryNames } from "./clone-lines.ts";
import { makeDemoRepository } from "./demo-repository.ts";
import { type Listening, listenOn } from "./listen.ts";
import { createLogger, type Verbosity } from "./log.ts";
import { type CertificateFlags, type ServeCertificates, serveCertificates } from "./serve-certificates.ts";
import { type ServeHooks, serveHooks } from "./serve-hooks.ts";

/** `xgit serve`, as its flags say. */
export interface ServeOptions extends CertificateFlags {
  /** `repositories` when not given, and then it is made and filled if need be. */
  readonly directory?: string | undefined;
  readonly host: string;
  readonly httpPort?: number | "off" | undefined;
  readonly gitPort?: number | "off" | undefined;
  readonly enable: readonly string[];
  readonly createOnPush: boolean;
  readonly durability: Durability;
  readonly fsck: FsckPreset;
  /** Run the hooks of repositories. */
  readonly hooks: boolean;
  readonly verbosity: Verbosity;
}

/** Where HTTP listens when no port is given. */
const HTTP_PORT = 8418;
const DEFAULT_DIRECTORY = "repositories";
/** For requests that run when the server is told to end. Unit: milliseconds. */
const GRACE_MS = 20_000;
const MAX_SHOWN = 5;

/** Serves until a signal ends it. @returns the exit status @throws CliError */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<number> {
  if (options.httpPort === "off" && options.gitPort === "off")
    throw new CliError("cli/usage", "with both ports off there is nothing to serve");
  const logger = createLogger(terminal.stderr, options.verbosity);
  const root = await prepareRoot(options.directory);
  const storage = openStorage({ logger, durability: options.durability });
  let scripts: ServeHooks | undefined;
  try {
    if (options.hooks) scripts = await serveHooks(terminal, logger);
    const demo = options.directory === undefined && (await isEmpty(root));
    if (demo) await makeDemoRepository(storage, join(root, "demo.git"), Math.floor(Date.now() / 1000));
    const pushes = options.enable.includes("receive-pack") || isLoopback(options.host);
    const certificates = await serveCertificates(options, terminal, logger);
    const service = serviceOf(storage, root, { ...options, pushes, scripts, certificates }, logger);
    const listening = await openPorts(service, options, logger);
    // Whoever has read the greeting may send a signal.
    const ended = untilSignal(terminal, listening, scripts?.hooks);
    await greet(terminal, { root, demo, pushes, listening });
    return await ended;
  } finally {
    await scripts?.hooks.close();
    await storage.close();
  }
}

async function prepareRoot(directory: string | undefined): Promise<string> {
  const root = resolve(directory ?? DEFAULT_DIRECTORY);
  if (directory === undefined) await mkdir(root, { recursive: true });
  const found = await stat(root).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw new CliError("cli/fatal", `'${directory ?? root}' is not a directory`);
  return root;
}

async function isEmpty(directory: string): Promise<boolean> {
  return (await readdir(directory)).length === 0;
}

function serviceOf(
  storage: Storage,
  root: string,
  options: {
    readonly createOnPush: boolean;
    readonly fsck: FsckPreset;
    readonly pushes: boolean;
    readonly scripts: ServeHooks | undefined;
    readonly certificates: ServeCertificates;
  },
  logger: Logger,
): GitService {
  const { createOnPush, fsck, pushes, scripts, certificates } = options;
  const services: ServiceName[] = pushes ? ["git-upload-pack", "git-receive-pack"] : ["git-upload-pack"];
  const repositories = storage.resolverUnder(root, {
    createOnPush: createOnPush && pushes,
    admit: scripts?.admit,
  });
  const agent = `xgit/${packageVersion()}`;
  return createGitService({
    repositories: certificates.withNonces(repositories),
    services,
    fsck,
    logger,
    agent,
    verifyPush: certificates.verifyPush,
    hooks: combineHooks(...[certificates.hooks, scripts?.hooks].filter((part) => part !== undefined)),
  });
}

type Ports = readonly (Listening & { readonly scheme: Address["scheme"] })[];

async function openPorts(service: GitService, options: ServeOptions, logger: Logger): Promise<Ports> {
  const { host, httpPort, gitPort } = options;
  const ports: (Listening & { scheme: Address["scheme"] })[] = [];
  try {
    if (httpPort !== "off") {
      const handler = createFetchHandler({ service, logger });
      const make = (port: number) => createNodeHttpServer({ handler, host, port, logger });
      ports.push({ scheme: "http", ...(await listenOn(make, httpPort, HTTP_PORT)) });
    }
    if (gitPort !== "off") {
      const make = (port: number) => createTcpGitServer({ service, host, port, logger });
      ports.push({ scheme: "git", ...(await listenOn(make, gitPort, GIT_PORT)) });
    }
    return ports;
  } catch (error) {
    await Promise.all(ports.map(({ listener }) => listener.close()));
    throw error;
  }
}

async function greet(
  terminal: Terminal,
  about: {
    readonly root: string;
    readonly demo: boolean;
    readonly pushes: boolean;
    readonly listening: Ports;
  },
): Promise<void> {
  const lines = [`serving ${printable(about.root)}${about.demo ? ", with a new demo repository" : ""}`];
  for (const port of about.listening)
    lines.push(
      `  ${baseUrl(port)}/${port.insteadOf === undefined ? "" : ` (port ${port.insteadOf} is taken, so this is a free one)`}`,
    );
  lines.push(
    about.pushes ? "pushes are allowed" : "pushes are off; --enable receive-pack allows them, to everybody",
  );
  const names = await findRepositoryNames(about.root, MAX_SHOWN + 1);
  if (names.length === 0) lines.push("no repository yet");
  else lines.push("", "try:");
  for (const name of names.slice(0, MAX_SHOWN))
    for (const port of about.listening) lines.push(`  ${cloneLine(port, name)}`);
  if (names.length > MAX_SHOWN) lines.push("  and so on for the others");
  terminal.stdout.write(`${lines.join("\n")}\n`);
}

/** The first signal lets running requests end; the second does not wait for them. */
function untilSignal(terminal: Terminal, ports: Ports, hooks: FileHooks | undefined): Promise<number> {
  return new Promise((done) => {
    let ending = false;
    const stop = terminal.onSignal((status) => {
      const end = (result: number) => {
        stop();
        done(result);
      };
      if (ending) return end(status);
      ending = true;
      terminal.stdout.write("ending; once more to end at once\n");
      // Whatever runs after a push holds its connection.
      const late = setTimeout(() => void hooks?.close(), GRACE_MS);
      void Promise.all(ports.map(({ listener }) => listener.close({ graceMs: GRACE_MS }))).then(() => {
        clearTimeout(late);
        end(0);
      });
    });
  });
}
