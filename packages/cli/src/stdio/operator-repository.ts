import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Repository, ServiceName } from "@x/server-core";
import {
  createWorkerPool,
  type Durability,
  type FileConfig,
  findRepository,
  openRepository,
  type RepositoryLayout,
  readGitConfig,
  StorageFsError,
} from "@x/storage-fs";
import { archiveFilters } from "../archive/archive-filters.ts";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";
import { type Bending, bendStore } from "./bent-store.ts";
import { checkConfig } from "./check-config.ts";
import { checkOwner } from "./owner.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The repository that a command on standard input and output serves. */
export interface OperatorRepository {
  readonly repository: Repository;
  /** Settings that the repository's owner cannot make. */
  readonly protectedConfig: FileConfig;
  close(): Promise<void>;
}

/** What {@link openOperatorRepository} goes by. */
export interface OperatorRequest extends Bending {
  readonly service: ServiceName;
  readonly directory: string;
  readonly strict: boolean;
  /** A repository of somebody else's is refused for a fetch too. */
  readonly ownOnly?: boolean;
  readonly env: Environment;
  /** Takes lines for standard error. */
  readonly warn: (line: string) => void;
}

/**
 * Opens a repository as git's own commands do for the user who runs them: with the settings of all scopes and what the
 * environment says of objects, shallow commits and namespaces.
 * @throws CliError `cli/fatal`, in git's words. Spec: git, "ENVIRONMENT VARIABLES"; gitnamespaces
 */
export async function openOperatorRepository(request: OperatorRequest): Promise<OperatorRepository> {
  const { service, env, warn } = request;
  const layout = await findLayout(request);
  const onWarning = (message: string) => warn(`warning: ${printable(message)}`);
  const pool = createWorkerPool({ inline: true, onWarning });
  try {
    const { config, protectedConfig, entries } = await readGitConfig({ layout, env });
    if (request.ownOnly || service !== "git-upload-pack") await checkOwner(layout, protectedConfig, env);
    const opened = await openRepository(layout, pool, {
      config,
      alternates: alternatesOf(layout, env),
      shallowFile: fromGitDirectory(layout, env.GIT_SHALLOW_FILE),
      durability: durabilityOf(env),
      onWarning,
    });
    checkConfig(service, entries);
    const namespace = namespacePrefix(env.GIT_NAMESPACE);
    const hook =
      service === "git-upload-pack" ? protectedConfig.get("uploadpack.packObjectsHook") : undefined;
    let objects = bendStore(opened.objects, request);
    if (hook !== undefined) {
      const { withPackObjectsHook } = await import("./pack-objects-hook.ts");
      objects = withPackObjectsHook(objects, { hook, directory: layout.gitDirectory, env });
    }
    const filters =
      service === "git-upload-archive"
        ? archiveFilters(protectedConfig, { directory: layout.gitDirectory, env })
        : undefined;
    return {
      repository: { ...opened, objects, namespace, archiveFilters: filters },
      protectedConfig,
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    if (!(error instanceof StorageFsError)) throw error;
    const before = error.cause instanceof Error ? `error: ${printable(error.cause.message)}\n` : "";
    throw new CliError("cli/fatal", error.message, { cause: error, before });
  }
}

async function findLayout({ directory, strict, env }: OperatorRequest): Promise<RepositoryLayout> {
  const path = strict ? directory : await expandHome(directory, env.HOME);
  const sound = path !== undefined && path !== "" && !path.includes("\0");
  const found = sound ? await findRepository(path, { strict }) : undefined;
  if (found === undefined)
    throw new CliError("cli/fatal", `'${directory}' does not appear to be a git repository`);
  const objects = fromGitDirectory(found, env.GIT_OBJECT_DIRECTORY);
  return objects === undefined ? found : { ...found, objectsDirectory: objects };
}

/** `~`, `~/x` and `~user/x`. @returns `undefined` when there is no such user */
async function expandHome(path: string, home: string | undefined): Promise<string | undefined> {
  const [, user, rest = ""] = /^~([^/]*)(.*)$/s.exec(path) ?? [];
  if (user === undefined) return path;
  const base = user === "" ? home : await homeOf(user);
  return base === undefined ? undefined : base + rest;
}

async function homeOf(user: string): Promise<string | undefined> {
  const users = await readFile("/etc/passwd", "utf8").catch(() => "");
  for (const line of users.split("\n")) {
    const fields = line.split(":");
    if (fields[0] === user) return fields[5];
  }
  return undefined;
}

/** Other words than these are passed over: what is safe holds then. */
function durabilityOf({ XGIT_DURABILITY: word }: Environment): Durability {
  return word === "git" || word === "none" ? word : "full";
}

/** Git has gone to its directory when it reads these. */
function fromGitDirectory({ gitDirectory }: RepositoryLayout, path: string | undefined): string | undefined {
  return path === undefined || path === "" ? undefined : resolve(gitDirectory, path);
}

/** Paths with colons between them; one with a colon in it is in double quotes. */
function alternatesOf(layout: RepositoryLayout, env: Environment): string[] {
  const text = env.GIT_ALTERNATE_OBJECT_DIRECTORIES ?? "";
  const paths: string[] = [];
  for (const [, quoted, plain] of text.matchAll(/(?:^|:)(?:"((?:\\.|[^"\\])*)"|([^:]*))/gs)) {
    const path = quoted === undefined ? plain : quoted.replace(/\\(.)/gs, "$1");
    if (path) paths.push(resolve(layout.gitDirectory, path));
  }
  return paths;
}

/** `a/b` is the namespace `b` in the namespace `a`. Spec: gitnamespaces. */
function namespacePrefix(text: string | undefined): string | undefined {
  const names = (text ?? "").split("/").filter((name) => name !== "");
  if (names.length === 0) return undefined;
  const prefix = names.map((name) => `refs/namespaces/${name}/`).join("");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: git allows no such character in a ref's name
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\.|\.\/|\.lock\//.test(prefix))
    throw new CliError("cli/fatal", `bad git namespace path "${text}"`);
  return Buffer.from(prefix, "utf8").toString("latin1");
}
