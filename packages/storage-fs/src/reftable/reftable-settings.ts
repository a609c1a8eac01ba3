import type { ObjectFormat } from "@x/objects";
import { MAX_REFTABLE_BLOCK_BYTES, type ReftableShapeOptions } from "@x/refs";
import { parseConfigBoolean, parseConfigInteger } from "../config/config-value.ts";
import type { FileConfig } from "../config/repository-config.ts";

/** How stacks of reftables are changed. */
export interface ReftableSettings {
  readonly shape: ReftableShapeOptions & { readonly blockSize: number };
  /** Each table shall be so many times as large as the next younger one. */
  readonly geometricFactor: number;
  /** How long to wait for a stack's lock. Unit: milliseconds; below zero for ever. */
  readonly lockTimeoutMs: number;
}

/** Spec: git-config, `reftable.*`; what is out of range counts as not set. */
export function reftableSettings(config: FileConfig, format: ObjectFormat): ReftableSettings {
  const number = (name: string, otherwise: number, min: number, max: number): number => {
    const value = parseConfigInteger(config.get(name) ?? "");
    return value === undefined || value < min || value > max ? otherwise : value;
  };
  // As in C git 0 stands for what is usual.
  return {
    shape: {
      format,
      blockSize: number("reftable.blockSize", 0, 0, MAX_REFTABLE_BLOCK_BYTES) || 4096,
      restartInterval: number("reftable.restartInterval", 0, 0, 0xffff) || 16,
      indexObjects: parseConfigBoolean(config.get("reftable.indexObjects") ?? "true") ?? true,
    },
    geometricFactor: number("reftable.geometricFactor", 0, 0, 0xff) || 2,
    lockTimeoutMs: number("reftable.lockTimeout", 100, -1, 0x7fff_ffff),
  };
}
