/** What one run of a hook may cost. */
export interface FileHookLimits {
  /** How long it may run; 0 for ever. Unit: milliseconds. */
  readonly timeoutMs: number;
  /** From the polite signal to the one that nothing survives. Unit: milliseconds. */
  readonly killGraceMs: number;
  /** For output that comes after its end, from what it left running. Unit: milliseconds. */
  readonly lingerMs: number;
  /** What the user is shown of its output; the rest is dropped with a line that says so. Unit: bytes. */
  readonly maxOutputBytes: number;
  /** What a proc-receive hook may answer. Unit: bytes. */
  readonly maxReportBytes: number;
}

/** What holds where nothing else is said. */
export const DEFAULT_FILE_HOOK_LIMITS: FileHookLimits = Object.freeze({
  timeoutMs: 5 * 60 * 1000,
  killGraceMs: 2000,
  lingerMs: 2000,
  maxOutputBytes: 4 * 1024 * 1024,
  maxReportBytes: 32 * 1024 * 1024,
});
