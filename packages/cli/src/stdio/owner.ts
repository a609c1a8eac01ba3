import { statSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { type FileConfig, parseConfigBoolean, type RepositoryLayout } from "@x/storage-fs";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";

/**
 * Lets nobody push through us into a repository of somebody else's, whose settings and hooks would count, unless
 * `safe.directory` says that it may be. Spec: git-config, `safe.directory`.
 * @param protectedConfig settings that the repository's owner cannot make
 * @throws CliError `cli/fatal`, in git's words
 */
export async function checkOwner(
  { gitDirectory }: RepositoryLayout,
  protectedConfig: FileConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const pretended = parseConfigBoolean(env.GIT_TEST_ASSUME_DIFFERENT_OWNER ?? "") === true;
  if (!pretended && isOwn(gitDirectory, env.SUDO_UID)) return;
  const real = await realpath(gitDirectory);
  let safe = false;
  for (const value of protectedConfig.getAll("safe.directory")) {
    if (value === "") safe = false;
    else if (value === "*") safe = true;
    else safe ||= await isNamed(Buffer.from(value, "latin1").toString("utf8"), real, gitDirectory, env.HOME);
  }
  if (safe) return;
  const shown = printable(gitDirectory);
  const quoted = /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replace(/['!]/g, "'\\$&'")}'`;
  throw new CliError("cli/fatal", `detected dubious ownership in repository at '${shown}'`, {
    after: `To add an exception for this directory, call:\n\n\tgit config --global --add safe.directory ${quoted}\n`,
  });
}

function isOwn(path: string, sudoUser: string | undefined): boolean {
  const user = process.geteuid?.();
  if (user === undefined) return true; // a system without owners
  // It was opened just now: another thread would take longer than the system does.
  const { uid } = statSync(path);
  // Whoever became root to run this is still the owner of what is theirs.
  return uid === user || (user === 0 && /^[0-9]{1,10}$/.test(sudoUser ?? "") && uid === Number(sudoUser));
}

async function isNamed(
  value: string,
  real: string,
  gitDirectory: string,
  home: string | undefined,
): Promise<boolean> {
  const path = home === undefined ? value : value.replace(/^~(?=\/|$)/, home);
  if (path === ".") return (await realpath(gitDirectory)) === (await realpath("."));
  if (!path.startsWith("/")) return false;
  const below = path.endsWith("/*");
  const named = await realpath(below ? path.slice(0, -2) || "/" : path).catch(() => undefined);
  if (named === undefined) return false;
  return below ? real.startsWith(named === "/" ? "/" : `${named}/`) : real === named;
}
