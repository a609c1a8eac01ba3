import type { Access } from "@x/access-rules";
import {
  combineHooks,
  createGitServices,
  type GitServices,
  type Hooks,
  type Logger,
  type Metrics,
  type RepositoryResolver,
  type ServiceName,
} from "@x/server-core";
import type { Storage } from "../compose.ts";
import type { Config } from "../config/load-config.ts";
import { packageVersion } from "../version.ts";
import type { ServeCertificates } from "./serve-certificates.ts";
import type { ServeHooks } from "./serve-hooks.ts";

/** What the service of a server is made of. */
export interface ServiceParts {
  readonly config: Config;
  readonly root: string;
  readonly storage: Storage;
  /** Where there are no rules: everybody may push. */
  readonly pushes: boolean;
  readonly access: Access | undefined;
  readonly scripts: ServeHooks | undefined;
  readonly certificates: ServeCertificates;
  /** Adds the machine's formats of archives. */
  readonly withFilters: ((repositories: RepositoryResolver) => RepositoryResolver) | undefined;
  readonly audit: Hooks | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
}

/** Puts the service of a server together. */
export function buildService(parts: ServiceParts): GitServices {
  const { config, root, storage, access, scripts, certificates, withFilters, audit, logger, metrics } = parts;
  const pushes = access !== undefined || parts.pushes;
  const services: ServiceName[] = pushes ? ["git-upload-pack", "git-receive-pack"] : ["git-upload-pack"];
  if (config.get("enable").includes("upload-archive")) services.push("git-upload-archive");
  const repositories = storage.resolverUnder(root, {
    createOnPush: config.get("createOnPush") && pushes,
    admit: scripts?.admit,
    alsoWithin: config.get("alsoWithin"),
  });
  return createGitServices({
    repositories: certificates.withNonces(withFilters?.(repositories) ?? repositories),
    // Where there are rules, they decide about each service.
    ...(access === undefined ? { services } : { authorize: access.authorize }),
    limits: config.limits("limits"),
    fsck: config.get("fsck"),
    logger,
    ...(metrics !== undefined && { metrics }),
    agent: `xgit/${packageVersion()}`,
    verifyPush: certificates.verifyPush,
    hooks: combineHooks(...[certificates.hooks, scripts?.hooks, audit].filter((part) => part !== undefined)),
  });
}
