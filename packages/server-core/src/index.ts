/** @packageDocumentation Git's upload-pack and receive-pack as functions from bytes to bytes, over ports only. */
export {
  type AccessRequest,
  type AccessVerdict,
  ANONYMOUS,
  type Authorize,
  type Credentials,
} from "./access/authorize.ts";
export { combineHooks } from "./combine-hooks.ts";
export { configBoolean, configBytes } from "./config-value.ts";
export type { DumbCall, DumbContent, DumbFile, DumbService } from "./dumb/dumb-service.ts";
export { type DumbListingOptions, generateInfoRefs, generateObjectsInfoPacks } from "./dumb/info-refs.ts";
export { ServiceError, type ServiceErrorCode } from "./errors.ts";
export {
  createGitService,
  createGitServices,
  type GitServiceOptions,
  type GitServices,
} from "./git-service.ts";
export type {
  FetchContext,
  FetchDepth,
  FetchResult,
  FetchWant,
  Hooks,
} from "./hooks.ts";
export { InputPace, type InputPatience } from "./input-pace.ts";
export { LentBuffers } from "./lent-buffers.ts";
export { DEFAULT_LIMITS, type Limits } from "./limits.ts";
export type {
  CallLabels,
  CallMetrics,
  CallPhase,
  CallResult,
  Metrics,
  RefusalLabels,
} from "./metrics.ts";
export type {
  ArchiveFilter,
  ConfigSetting,
  Logger,
  Repository,
  RepositoryConfig,
  RepositoryResolver,
  StoredFile,
  StoredFileName,
  StoredFiles,
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
  PushResult,
  PushVerdict,
  ReceivedContext,
  Refusals,
  VerifyPush,
} from "./push-hooks.ts";
export type { GitService, Peer, ProtocolVersion, Reached, ServiceCall, ServiceName } from "./service.ts";
