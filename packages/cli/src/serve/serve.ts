import { mkdir, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  combineHooks,
  createGitService,
  type GitService,
  type Logger,
  type ServiceName,
} from "@x/server-core";
import { isLoopback } from "../args.ts";
import { openStorage, type Storage } from "../compose.ts";
import type { Config } from "../config/load-config.ts";
import { MAX_TIMER_MS } from "../config/setting.ts";
import { CliError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { packageVersion } from "../version.ts";
import { makeDemoRepository } from "./demo-repository.ts";
import { greet } from "./greeting.ts";
import { openLog } from "./open-log.ts";
import { openPorts } from "./ports.ts";
import { type CertificateFlags, type ServeCertificates, serveCertificates } from "./serve-certificates.ts";
import { type ServeHooks, serveHooks } from "./serve-hooks.ts";
import { untilSignal } from "./until-signal.ts";

const DEFAULT_DIRECTORY = "repositories";

/** Serves until a signal ends it. @returns the exit status @throws CliError */
export async function serve(config: Config, terminal: Terminal): Promise<number> {
  if ((["http.port", "https.port", "git.port"] as const).every((key) => config.get(key) === "off"))
    throw new CliError("cli/usage", "with all ports off there is nothing to serve");
  const root = await prepareRoot(config.get("root"));
  const log = await openLog(
    { level: config.get("log.level"), format: config.get("log.format"), file: config.get("log.file") },
    terminal,
  );
  const { logger } = log;
  const storage = openStorage({ logger, durability: config.get("durability") });
  let scripts: ServeHooks | undefined;
  try {
    if (config.get("hooks")) scripts = await serveHooks(terminal, logger);
    const demo = config.get("root") === undefined && (await isEmpty(root));
    if (demo) await makeDemoRepository(storage, join(root, "demo.git"), Math.floor(Date.now() / 1000));
    const pushes = config.get("enable").includes("receive-pack") || isLoopback(config.get("host"));
    const certificates = await serveCertificates(certificateFlags(config), terminal, logger);
    const service = serviceOf(storage, root, { config, pushes, scripts, certificates }, logger);
    const ports = await openPorts(service, config, logger);
    const grace = config.get("graceMs");
    const graceMs = grace === "none" ? MAX_TIMER_MS : grace;
    // Whoever has read the greeting may send a signal.
    const ended = untilSignal(terminal, {
      graceMs,
      close: () => ports.close(graceMs),
      // Whatever runs after a push holds its connection.
      late: () => void scripts?.hooks.close(),
    });
    await greet(terminal, { root, demo, pushes, ports: ports.list, admin: undefined });
    return await ended;
  } finally {
    await scripts?.hooks.close();
    await storage.close();
    log.close();
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

function certificateFlags(config: Config): CertificateFlags {
  return {
    allowedSigners: config.get("signedPush.allowedSigners"),
    revokedKeys: config.get("signedPush.revokedKeys"),
    openpgpKeys: config.get("signedPush.openpgpKeys"),
    requireSignedPush: config.get("signedPush.required"),
  };
}

function serviceOf(
  storage: Storage,
  root: string,
  options: {
    readonly config: Config;
    readonly pushes: boolean;
    readonly scripts: ServeHooks | undefined;
    readonly certificates: ServeCertificates;
  },
  logger: Logger,
): GitService {
  const { config, pushes, scripts, certificates } = options;
  const services: ServiceName[] = pushes ? ["git-upload-pack", "git-receive-pack"] : ["git-upload-pack"];
  const repositories = storage.resolverUnder(root, {
    createOnPush: config.get("createOnPush") && pushes,
    admit: scripts?.admit,
  });
  return createGitService({
    repositories: certificates.withNonces(repositories),
    services,
    limits: config.limits("limits"),
    fsck: config.get("fsck"),
    logger,
    agent: `xgit/${packageVersion()}`,
    verifyPush: certificates.verifyPush,
    hooks: combineHooks(...[certificates.hooks, scripts?.hooks].filter((part) => part !== undefined)),
  });
}
