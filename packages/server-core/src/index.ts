/** @packageDocumentation Git's upload-pack and receive-pack as functions from bytes to bytes, over ports only. */
export {
  type AccessRequest,
  type AccessVerdict,
  ANONYMOUS,
  type Authorize,
  type Credentials,
} from "./access/authorize.ts";
export { combineHooks } from "./combine-hooks.ts";
export { ServiceError, type ServiceErrorCode } from "./errors.ts";
export { createGitService, type GitServiceOptions } from "./git-service.ts";
export type {
  FetchContext,
  FetchDepth,
  FetchResult,
  FetchWant,
  Hooks,
} from "./hooks.ts";
export { DEFAULT_LIMITS, type Limits } from "./limits.ts";
export type {
  ConfigSetting,
  Logger,
  Repository,
  RepositoryConfig,
  RepositoryResolver,
  WorkTree,
} from "./ports.ts";
export { protocolVersion } from "./protocol-version.ts";
export type { FsckPreset } from "./push/fsck-settings.ts";
export type {
  PreReceiveContext,
  ProcReceiveAnswer,
  PushCertificate,
  PushCommand,
  PushContext,
  PushHooks,
  PushVerdict,
  ReceivedContext,
  Refusals,
  VerifyPush,
} from "./push-hooks.ts";
export type { GitService, Peer, ProtocolVersion, Reached, ServiceCall, ServiceName } from "./service.ts";
