import { stringify } from "smol-toml";
import type { Config } from "./load-config.ts";

/** What holds as a config file in TOML that can be used as one; behind each setting stands who set it. */
export function printConfig(config: Config): string {
  const lines: string[] = [];
  for (const { key, value, origin, isSecret } of config.entries()) {
    if (isSecret) lines.push(`# ${key} is set: ${origin}`);
    else lines.push(`${key} = ${valueText(value)} # ${origin}`);
  }
  return `${lines.join("\n")}\n`;
}

function valueText(value: unknown): string {
  return stringify({ value }).trim().slice("value = ".length);
}
