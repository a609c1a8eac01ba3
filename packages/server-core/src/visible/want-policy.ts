import { requiredBoolean } from "../config-value.ts";
import type { ConfigSetting, RepositoryConfig } from "../ports.ts";

/** Which objects a client may want by their ids. What a visible ref holds it always may. */
export interface WantPolicy {
  /** Whatever is stored. */
  readonly anything: boolean;
  /** What hidden refs hold, too; with `reachable`, and what these reach. */
  readonly hiddenTips: boolean;
  /** What refs reach, whatever its type. */
  readonly reachable: { readonly v0: boolean; readonly v2: boolean };
  /** `allow-tip-sha1-in-want` is announced in v0. */
  readonly announceTip: boolean;
  /** `allow-reachable-sha1-in-want` is announced in v0. */
  readonly announceReachable: boolean;
}

const TIP = 1;
const REACHABLE = 2;
const ANY = 7;

const BITS: ReadonlyMap<string, number> = new Map([
  ["uploadpack.allowtipsha1inwant", TIP],
  ["uploadpack.allowreachablesha1inwant", REACHABLE],
  ["uploadpack.allowanysha1inwant", ANY],
]);

/**
 * Reads `uploadpack.allow*SHA1InWant`. Where none is set, what a visible ref reaches may be wanted, and v0 says so
 * where partial clones need to know. Where one is set, v0 does exactly what git does; v2, where C git lets every
 * stored object be wanted, still lets what a ref reaches be wanted, unless a setting forbids that by name.
 * Spec: git-config, `uploadpack.allowTipSHA1InWant` and what follows it.
 * @throws ServiceError `server-core/repository-unusable`
 */
export function readWantPolicy(config: RepositoryConfig, filter: boolean): WantPolicy {
  const { bits, set } = readBits(config);
  const anything = (bits & ANY) === ANY;
  const isDefault = set === 0;
  const deniesReachable = (set & REACHABLE) !== 0 && (bits & REACHABLE) === 0;
  return {
    anything,
    hiddenTips: (bits & (TIP | REACHABLE)) !== 0,
    reachable: { v0: isDefault || (bits & REACHABLE) !== 0, v2: !deniesReachable },
    announceTip: (bits & TIP) !== 0,
    announceReachable: (bits & REACHABLE) !== 0 || (isDefault && filter),
  };
}

/** The bits that are on in the end, and those that some setting named. The settings work on each other, in order. */
function readBits(config: RepositoryConfig): { readonly bits: number; readonly set: number } {
  let bits = 0;
  let set = 0;
  for (const { key, value } of inOrder(config)) {
    const bit = BITS.get(key) ?? 0;
    set |= bit;
    bits = requiredBoolean({ get: () => value ?? "true" }, key) === true ? bits | bit : bits & ~bit;
  }
  return { bits, set };
}

function* inOrder(config: RepositoryConfig): Generator<ConfigSetting> {
  if (config.entries !== undefined) {
    for (const entry of config.entries("uploadpack.")) if (BITS.has(entry.key)) yield entry;
  } else for (const key of BITS.keys()) for (const value of config.getAll(key)) yield { key, value };
}
