import { ObjectsError } from "../errors.ts";
import type { FsckSeverity } from "./finding.ts";
import { type FsckMessageId, fsckLevels, parseFsckMessageId } from "./message-ids.ts";

/** What settings ask of a check: goes into {@link FsckOptions}. Plain data. */
export interface FsckPolicy {
  readonly severities: ReadonlyMap<FsckMessageId, FsckSeverity | "ignore">;
  /** Unit: bytes; `undefined` when nothing is said of it. */
  readonly maxPathnameBytes: number | undefined;
}

/** What a repository's config says of a check. */
export interface FsckConfig extends FsckPolicy {
  /** The paths of `skipList`, as written, which may be relative to the repository or start with `~/`: all of them count. */
  readonly skipLists: readonly string[];
  /** Ids that git does not know; it goes on with `warning: skipping unknown msg id '<id>'`. */
  readonly unknownIds: readonly string[];
}

/** One setting: the key in lower case, as config files are read, and its value, if it has one. */
export interface FsckSetting {
  readonly key: string;
  readonly value: string | undefined;
}

/**
 * Reads the settings that start with `prefix`, others are passed over; the last of a key counts. `largePathname` may be
 * `<severity>:<bytes>`. Spec: git-config, `receive.fsck.<msg-id>`, `fsck.largePathname` in git-fsck.
 * @throws ObjectsError `objects/bad-setting`, with the words git dies with
 */
export function parseFsckConfig(
  settings: Iterable<FsckSetting>,
  prefix: string = "receive.fsck.",
  base: FsckPolicy["severities"] = new Map(),
): FsckConfig {
  const severities = new Map(base);
  const skipLists: string[] = [];
  const unknownIds: string[] = [];
  let maxPathnameBytes: number | undefined;
  for (const { key, value } of settings) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    if (value === undefined) throw badSetting(`missing value for '${key}'`);
    if (name === "skiplist") {
      skipLists.push(value);
      continue;
    }
    const id = parseFsckMessageId(name);
    if (id === undefined) {
      unknownIds.push(name);
      continue;
    }
    const [severity, size] = id === "largePathname" ? splitAtColon(value) : [value, undefined];
    severities.set(id, parseSeverity(id, name, severity));
    if (size !== undefined) maxPathnameBytes = parseSize(size);
  }
  return { severities, maxPathnameBytes, skipLists, unknownIds };
}

function parseSeverity(id: FsckMessageId, name: string, text: string): FsckSeverity | "ignore" {
  if (text !== "error" && text !== "warn" && text !== "ignore")
    throw badSetting(`Unknown fsck message type: '${text}'`);
  if (fsckLevels[id] === "fatal" && text !== "error") throw badSetting(`Cannot demote ${name} to ${text}`);
  return text;
}

function splitAtColon(text: string): [string, string | undefined] {
  const colon = text.indexOf(":");
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

const SCALE: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
]);

function parseSize(text: string): number {
  const match = /^(\d{1,15})([kmg]?)$/i.exec(text);
  const size = match && Number(match[1]) * (SCALE.get((match[2] as string).toLowerCase()) as number);
  if (size === null || !Number.isSafeInteger(size))
    throw badSetting(`unable to parse max tree entry len: ${text}`);
  return size;
}

function badSetting(message: string): ObjectsError {
  return new ObjectsError("objects/bad-setting", message);
}
