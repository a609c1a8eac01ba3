/** @packageDocumentation The SSH transport for Node: public keys, Git's three commands, and nothing else. */
export {
  type Authenticate,
  type AuthorizedKeysFileOptions,
  authenticateByKeys,
  type KeyOffer,
  openAuthorizedKeys,
  userOfKey,
} from "./authenticate.ts";
export { type AuthorizedKey, type AuthorizedKeys, parseAuthorizedKeys } from "./authorized-keys.ts";
export {
  MAX_COMMAND_LENGTH,
  parseGitProtocol,
  parseSshCommand,
  repositoryOfPath,
  type SshCommand,
  TransportSshError,
  type TransportSshErrorCode,
} from "./command.ts";
export { type HostKey, openHostKey, openHostKeys, parseHostKey } from "./host-key.ts";
export { DEFAULT_SSH_LIMITS, type SshLimits } from "./limits.ts";
export { fingerprintOf, type PublicKeyType, publicKeyType } from "./public-key.ts";
export { createSshGitServer, SSH_PORT, type SshGitServer, type SshGitServerOptions } from "./server.ts";
