import type { ServiceName } from "@x/server-core";
import { parseConfigBoolean, parseConfigInteger, type ScopedConfigEntry } from "@x/storage-fs";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";

type Kind = "boolean" | "int" | "unsigned" | "text" | "denial";

const DENIALS: readonly string[] = ["ignore", "warn", "refuse", "updateinstead"];

/** What git's own commands read, and therefore refuse to start with when it makes no sense. */
const KEYS: Readonly<Record<ServiceName, Readonly<Record<string, Kind>>>> = {
  "git-upload-pack": {
    "uploadpack.allowtipsha1inwant": "boolean",
    "uploadpack.allowreachablesha1inwant": "boolean",
    "uploadpack.allowanysha1inwant": "boolean",
    "uploadpack.keepalive": "int",
    "uploadpack.allowfilter": "boolean",
    "uploadpack.allowrefinwant": "boolean",
    "uploadpack.allowsidebandall": "boolean",
    "uploadpack.hiderefs": "text",
    "uploadpackfilter.allow": "boolean",
    "uploadpackfilter.tree.maxdepth": "unsigned",
    "transfer.hiderefs": "text",
    "transfer.advertisesid": "boolean",
  },
  "git-receive-pack": {
    "receive.denydeletes": "boolean",
    "receive.denycurrentbranch": "denial",
    "receive.denydeletecurrent": "denial",
    "receive.denynonfastforwards": "boolean",
    "receive.unpacklimit": "int",
    "receive.fsckobjects": "boolean",
    "receive.advertiseatomic": "boolean",
    "receive.advertisepushoptions": "boolean",
    "receive.autogc": "boolean",
    "receive.updateserverinfo": "boolean",
    "receive.shallowupdate": "boolean",
    "receive.keepalive": "int",
    "receive.maxinputsize": "int",
    "receive.certnonceseed": "text",
    "receive.certnonceslop": "unsigned",
    "receive.procreceiverefs": "text",
    "repack.usedeltabaseoffset": "boolean",
    "receive.hiderefs": "text",
    "transfer.hiderefs": "text",
    "transfer.unpacklimit": "int",
    "transfer.fsckobjects": "boolean",
    "transfer.advertisesid": "boolean",
  },
  "git-upload-archive": { "uploadarchive.allowunreachable": "boolean" },
};

const MAX_INT = 2 ** 31 - 1;

/**
 * Refuses settings that git would end on, in its words: better than to serve with what was not meant.
 * @throws CliError `cli/fatal`. Spec: git-config, "Values"
 */
export function checkConfig(service: ServiceName, entries: readonly ScopedConfigEntry[]): void {
  const keys = new Map(Object.entries(KEYS[service]));
  const isFetch = service === "git-upload-pack";
  for (const entry of entries) {
    const { key, value } = entry;
    const kind = keys.get(key) ?? (isFetch ? fetchKind(key) : pushKind(key));
    if (kind === "boolean" || kind === "denial") {
      const isWord = kind === "denial" && DENIALS.includes(value?.toLowerCase() ?? "");
      if (!isWord && value !== undefined && parseConfigBoolean(value) === undefined)
        throw fatal(`bad boolean config value '${value}' for '${key}'`);
    } else if (kind === "text") {
      if (value === undefined) throw missing(entry);
    } else if (kind !== undefined) checkNumber(entry, kind);
  }
}

function fetchKind(key: string): Kind | undefined {
  return /^uploadpackfilter\..+\.allow$/s.test(key) ? "boolean" : undefined;
}

function pushKind(key: string): Kind | undefined {
  return key.startsWith("receive.fsck.") ? "text" : undefined;
}

function checkNumber(entry: ScopedConfigEntry, kind: "int" | "unsigned"): void {
  const { key, value = "", file } = entry;
  if (kind === "unsigned" && entry.value === undefined) throw missing(entry);
  const number = parseConfigInteger(value);
  const wide = kind === "unsigned" || key === "receive.maxinputsize";
  let why: string | undefined;
  if (number === undefined) why = /^\s*[+-]?[0-9]+[kmg]?$/i.test(value) ? "out of range" : "invalid unit";
  else if (!wide && Math.abs(number) > MAX_INT) why = "out of range";
  else if (kind === "unsigned" && value.includes("-")) why = "invalid unit";
  if (why === undefined) return;
  const where = file === undefined ? "" : ` in file ${file}`;
  throw fatal(`bad numeric config value '${value}' for '${key}'${where}: ${why}`);
}

function missing({ key, file }: ScopedConfigEntry): CliError {
  const where =
    file === undefined
      ? `unable to parse '${printable(key)}' from command-line config`
      : `bad config variable '${key}' in file '${file}'`;
  return new CliError("cli/fatal", where, { before: `error: missing value for '${printable(key)}'\n` });
}

function fatal(message: string): CliError {
  return new CliError("cli/fatal", message);
}
