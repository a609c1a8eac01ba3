import { StorageFsError } from "../errors.ts";
import { layoutAt, type RepositoryLayout } from "../repository/layout.ts";
import { bytesOf, readConfigEnvironment } from "./config-environment.ts";
import { ConfigReader, type ScopedConfigEntry } from "./config-includes.ts";
import { parseConfigBoolean } from "./config-value.ts";
import { createFileConfig, type FileConfig } from "./repository-config.ts";

/** All settings that git itself would heed for a repository. */
export interface GitConfig {
  /** From the least to the most important. */
  readonly entries: readonly ScopedConfigEntry[];
  /** Of all scopes, the later ones winning. */
  readonly config: FileConfig;
  /** Those alone that whoever may write to the repository cannot set. Spec: git-config, "Protected configuration". */
  readonly protectedConfig: FileConfig;
}

/** What {@link readGitConfig} goes by. */
export interface GitConfigSource {
  readonly layout: RepositoryLayout;
  /** `HOME`, `XDG_CONFIG_HOME` and the `GIT_CONFIG_*` variables count. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the settings as git does for its own commands: of the system, the user, the repository, its work tree and the
 * environment, includes followed in all of them. For a process whose user is the operator; a server that speaks to
 * others reads the repository's own with `readRepositoryConfig`.
 * Spec: git-config, "FILES", "SCOPES", "ENVIRONMENT", "Includes".
 * @throws StorageFsError `storage-fs/bad-config`, in git's words
 */
export async function readGitConfig({ layout, env }: GitConfigSource): Promise<GitConfig> {
  const commandLine = readConfigEnvironment(env);
  const read = async (reader: ConfigReader): Promise<void> => {
    await readMachine(reader, env);
    await reader.readFile(bytesOf(layout.configFile), "local", "config");
    if (isOn("extensions.worktreeconfig", reader.own("extensions.worktreeconfig")))
      await reader.readFile(bytesOf(`${layout.gitDirectory}/config.worktree`), "worktree", "config.worktree");
    await reader.add(commandLine);
  };
  const reader = new ConfigReader({ layout, env, read });
  await read(reader);
  const { entries } = reader;
  return { entries, config: createFileConfig(entries), protectedConfig: protectedOf(entries) };
}

/**
 * The settings that no repository can make: those of the system, the user and the environment. What is included on a
 * condition is not among them.
 * Spec: git-config, "Protected configuration".
 * @throws StorageFsError `storage-fs/bad-config`, in git's words
 */
export async function readProtectedConfig(env: GitConfigSource["env"]): Promise<FileConfig> {
  const commandLine = readConfigEnvironment(env);
  const read = async (reader: ConfigReader): Promise<void> => {
    await readMachine(reader, env);
    await reader.add(commandLine);
  };
  // Conditions are asked of something, and count for nothing.
  const reader = new ConfigReader({ layout: layoutAt("/"), env, read });
  await read(reader);
  return protectedOf(reader.entries);
}

async function readMachine(reader: ConfigReader, env: GitConfigSource["env"]): Promise<void> {
  if (!isOn("GIT_CONFIG_NOSYSTEM", env.GIT_CONFIG_NOSYSTEM))
    await reader.readFile(bytesOf(env.GIT_CONFIG_SYSTEM ?? "/etc/gitconfig"), "system");
  for (const path of globalFiles(env)) await reader.readFile(bytesOf(path), "global");
}

function protectedOf(entries: readonly ScopedConfigEntry[]): FileConfig {
  return createFileConfig(
    entries.filter(({ scope, conditional }) => !conditional && scope !== "local" && scope !== "worktree"),
  );
}

function isOn(key: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  const value = parseConfigBoolean(text);
  if (value === undefined)
    throw new StorageFsError("storage-fs/bad-config", `bad boolean config value '${text}' for '${key}'`);
  return value;
}

function globalFiles(env: GitConfigSource["env"]): string[] {
  const { GIT_CONFIG_GLOBAL: instead, XDG_CONFIG_HOME: xdg, HOME: home } = env;
  if (instead !== undefined) return [instead];
  const files: string[] = [];
  if (xdg) files.push(`${xdg}/git/config`);
  else if (home !== undefined) files.push(`${home}/.config/git/config`);
  if (home !== undefined) files.push(`${home}/.gitconfig`);
  return files;
}
