/** @packageDocumentation Git's own hook scripts as hooks of @x/server-core. */
export { type ConfiguredHook, configuredHooks, type HookSetting } from "./configured-hooks.ts";
export { FileHooksError, type FileHooksErrorCode } from "./errors.ts";
export { createFileHooks, type FileHooks, type FileHooksOptions } from "./file-hooks.ts";
export { type Environment, serverEnvironment } from "./hook-environment.ts";
export { DEFAULT_FILE_HOOK_LIMITS, type FileHookLimits } from "./limits.ts";
