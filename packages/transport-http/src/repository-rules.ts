import {
  configBoolean,
  configBytes,
  type Peer,
  type Repository,
  ServiceError,
  type ServiceName,
} from "@x/server-core";

/** What a request is for, by the name that settings have for it. */
export type HttpAccess = ServiceName | "files";

const KEYS: Readonly<Record<HttpAccess, string>> = {
  "git-upload-pack": "http.uploadpack",
  "git-receive-pack": "http.receivepack",
  "git-upload-archive": "http.uploadarchive",
  files: "http.getanyfile",
};

/**
 * Holds a request against what its repository says of HTTP: a setting that is off refuses it, one that is on admits it,
 * and without one it is up to `unset`.
 * @param unset what is on, where a repository does not say, for clients whose name nobody knows
 * @throws ServiceError `server-core/service-disabled`
 * Spec: git-http-backend, "SERVICES".
 */
export function vetAccess(
  repository: Pick<Repository, "config">,
  peer: Peer,
  access: HttpAccess,
  unset: readonly HttpAccess[],
): void {
  const on = configBoolean(repository.config, KEYS[access]) ?? (unset.includes(access) || hasName(peer));
  const words =
    access === "files" ? "Unsupported service: getanyfile" : `Service not enabled: '${access.slice(4)}'`;
  if (!on) throw new ServiceError("server-core/service-disabled", words);
}

function hasName({ user }: Peer): boolean {
  return user !== undefined && user !== "";
}

/** What the repository says of how long a request to fetch may be. Spec: git-http-backend; `http.maxRequestBuffer`. */
export function requestBufferOf({ config }: Pick<Repository, "config">): number | undefined {
  return configBytes(config, "http.maxRequestBuffer");
}
