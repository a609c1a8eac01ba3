import type { Report } from "./report.ts";

export function checkGitmodules(_data: Uint8Array, _report: Report): void {}
