import type { Report } from "./report.ts";

/** Git reads no longer `.gitattributes`. Unit: bytes. */
const MAX_FILE_BYTES = 100 * 1024 * 1024;
/** Git reads no line of this length. Unit: bytes. */
const MAX_LINE_BYTES = 2048;

/** Checks a `.gitattributes`; `data` is `undefined` when it is too long to be held. Spec: gitattributes, "NOTES". */
export function checkGitattributes(data: Uint8Array | undefined, report: Report): void {
  if (data === undefined || data.length > MAX_FILE_BYTES) {
    report.add("gitattributesLarge", ".gitattributes too large to parse");
    return;
  }
  let lineAt = 0;
  for (let i = 0; i <= data.length; i++) {
    const byte = data[i] ?? 0;
    if (byte !== 0x0a && byte !== 0) continue;
    if (i - lineAt >= MAX_LINE_BYTES) {
      report.add("gitattributesLineLength", ".gitattributes has too long lines to parse");
      return;
    }
    // A NUL ends the text for git.
    if (byte === 0) return;
    lineAt = i + 1;
  }
}
