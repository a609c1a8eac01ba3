import type { ArchiveSettings } from "@x/objects";
import { configBoolean, configBytes } from "../config-value.ts";
import type { RepositoryConfig } from "../ports.ts";

/** As in C git. Unit: bytes. */
const BIG_FILE_BYTES = 512 * 1024 * 1024;

/** What is taken away from modes where nothing is said. Spec: git-config, `tar.umask` */
const UMASK = 0o002;

/** What a repository's settings mean for its archives. */
export function archiveSettings(config: RepositoryConfig): ArchiveSettings {
  const binaryDrivers = new Map<string, boolean>();
  for (const { key, value } of config.entries?.("diff.") ?? []) {
    const [, driver] = /^diff\.(.*)\.binary$/s.exec(key) ?? [];
    const isBinary = driver === undefined ? undefined : configBoolean({ get: () => value ?? "true" }, key);
    if (driver !== undefined && isBinary !== undefined) binaryDrivers.set(driver, isBinary);
  }
  const autocrlf = config.get("core.autocrlf")?.toLowerCase();
  return {
    umask: umask(config.get("tar.umask")),
    lineEndings: {
      autocrlf:
        autocrlf === "input" ? "input" : configBoolean(config, "core.autocrlf") === true ? "true" : "false",
      eol: config.get("core.eol")?.toLowerCase() === "crlf" ? "crlf" : "lf",
    },
    bigFileThreshold: configBytes(config, "core.bigFileThreshold") ?? BIG_FILE_BYTES,
    ignoreCase: configBoolean(config, "core.ignoreCase") === true,
    binaryDrivers,
    abbrev: abbrev(config.get("core.abbrev")?.toLowerCase()),
  };
}

/** Numbers as C has them: 022 is octal. */
function umask(text: string | undefined): number | "user" {
  if (text === "user") return "user";
  if (text === undefined || !/^(?:0[0-7]{0,6}|[1-9][0-9]{0,5}|0x[0-9a-f]{1,5})$/i.test(text)) return UMASK;
  return Number(/^0[0-7]+$/.test(text) ? `0o${text}` : text);
}

function abbrev(text: string | undefined): number | "full" | undefined {
  if (text === "no" || text === "off" || text === "false") return "full";
  if (text === undefined || !/^[0-9]{1,3}$/.test(text)) return undefined;
  return Math.max(Number(text), 4);
}
