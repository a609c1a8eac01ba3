import {
  type Repository,
  type RepositoryConfig,
  type RepositoryResolver,
  type ServiceCall,
  ServiceError,
} from "@x/server-core";
import {
  type ExportedRepositories,
  type FileConfig,
  type HostNames,
  parseConfigBoolean,
  type RepositoryLayout,
  sanitizeHost,
} from "@x/storage-fs";
import { archiveFilters } from "../archive/archive-filters.ts";
import { CliError } from "../errors.ts";
import { checkOwner } from "../stdio/owner.ts";
import { runAccessHook } from "./access-hook.ts";
import { type DaemonLog, TOLD_ALREADY } from "./daemon-log.ts";
import { DAEMON_SERVICES, type DaemonOptions } from "./daemon-options.ts";

/** What {@link daemonRepositories} works with. */
export interface DaemonRepositoriesContext {
  readonly options: Pick<DaemonOptions, "services" | "accessHook">;
  readonly exported: ExportedRepositories;
  readonly open: (layout: RepositoryLayout) => Promise<Repository>;
  /** The settings of the machine and of the user, as they are now. */
  readonly machineConfig: () => Promise<FileConfig>;
  readonly lookUpHost: (host: string) => Promise<HostNames | undefined>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Pick<DaemonLog, "info" | "error">;
}

/**
 * The repositories that `xgit daemon` serves: those that are exported, belong to us or are safe, have the service on,
 * and that the access hook has nothing against; asked in this order, as git-daemon does.
 */
export function daemonRepositories(context: DaemonRepositoriesContext): RepositoryResolver {
  const { options, exported, open, machineConfig, env, log } = context;
  return async (call) => {
    const { host, port } = call.reached ?? {};
    const found = await exported.find({ path: call.repository, host, port });
    if (found.status !== "found") {
      log.error(found.why);
      throw notFound(found.status === "absent" ? "no such repository" : "repository not exported");
    }
    const machine = await machineConfig();
    await checkOurs(found.layout, machine, context);
    const repository = await open(found.layout);
    const config = withMachine(repository.config, machine);
    const name = call.service.replace(/^git-/, "");
    if (!isEnabled(call, config, options)) {
      log.error(`'${name}': service not enabled for '${found.path}'`);
      throw new ServiceError("server-core/service-disabled", TOLD_ALREADY);
    }
    if (options.accessHook !== undefined) {
      const clientHost = sanitizeHost(host ?? "");
      const names = await context.lookUpHost(clientHost);
      const { address, port: peerPort } = call.peer;
      const reason = await runAccessHook(
        {
          service: name,
          path: found.path,
          host: clientHost,
          canonicalHost: names?.canonicalHost ?? "",
          address: names?.address ?? "",
          port: port === undefined ? "" : String(port),
        },
        {
          command: options.accessHook,
          directory: found.layout.gitDirectory,
          env: {
            ...env,
            REMOTE_ADDR: address?.includes(":") ? `[${address}]` : address,
            REMOTE_PORT: peerPort === undefined ? undefined : String(peerPort),
          },
          signal: call.signal,
        },
      );
      if (reason !== undefined) throw notFound(reason);
    }
    const place = { directory: found.layout.gitDirectory, env };
    return { ...repository, config, archiveFilters: archiveFilters(machine, place) };
  };
}

/** Its message is what a client is told where it may know why. */
function notFound(message: string): ServiceError {
  return new ServiceError("server-core/repository-not-found", message);
}

async function checkOurs(
  layout: RepositoryLayout,
  machine: FileConfig,
  { env, log }: Pick<DaemonRepositoriesContext, "env" | "log">,
): Promise<void> {
  try {
    await checkOwner(layout, machine, env);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    log.error(`fatal: ${error.message}`);
    throw notFound("no such repository");
  }
}

function isEnabled(
  { service }: ServiceCall,
  config: RepositoryConfig,
  { services }: Pick<DaemonOptions, "services">,
): boolean {
  const { enabled, overridable } = services.get(service) ?? { enabled: false, overridable: false };
  if (!overridable) return enabled;
  for (const { service: known, key } of DAEMON_SERVICES.values()) {
    const value = known === service ? config.get(key) : undefined;
    // What is no word for yes or no opens nothing.
    if (value !== undefined) return parseConfigBoolean(value) ?? false;
  }
  return enabled;
}

/** The repository's own settings count more. */
function withMachine(own: RepositoryConfig, machine: FileConfig): RepositoryConfig {
  return {
    get: (key) => own.get(key) ?? machine.get(key),
    getAll: (key) => [...machine.getAll(key), ...own.getAll(key)],
    entries: (prefix) => [...machine.entries(prefix), ...(own.entries?.(prefix) ?? [])],
  };
}
