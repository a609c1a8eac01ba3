import { CliError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { type Config, loadConfig } from "./load-config.ts";
import { flagName, SERVE_FLAGS } from "./serve-flags.ts";

type GivenFlags = Map<string, { readonly flag: string; readonly value: unknown }>;

/**
 * The config of `xgit serve`.
 * @param given the flags on the command line, by the names that commander has for them
 * @throws CliError
 */
export function readServeConfig(
  directory: string | undefined,
  given: ReadonlyMap<string, unknown>,
  { env }: Pick<Terminal, "env">,
): Promise<Config> {
  const flags: GivenFlags = new Map();
  if (given.has("quiet") && given.has("verbose"))
    throw new CliError("cli/usage", "--quiet cannot be used with --verbose");
  for (const setting of listOf(given.get("set"))) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
    if (key === undefined) throw new CliError("cli/usage", `--set ${setting}: expected KEY=VALUE`);
    flags.set(key, { flag: `--set ${key}`, value });
  }
  for (const { flags: spelled, key, value, isList } of SERVE_FLAGS) {
    const name = flagName(spelled);
    if (!given.has(name)) continue;
    const said = isList ? listOf(given.get(name)).map((word) => word.replace(/^git-/, "")) : given.get(name);
    flags.set(key, { flag: spelled.replace(/^-., | <.*$/g, ""), value: value ?? said });
  }
  if (directory !== undefined) flags.set("root", { flag: "DIR", value: directory });
  const file = given.get("config") ?? env.XGIT_CONFIG;
  return loadConfig({
    flags,
    env,
    file: typeof file === "string" && file !== "" ? file : undefined,
    directory: process.cwd(),
  });
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
