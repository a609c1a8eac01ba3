import { hostname, userInfo } from "node:os";
import type { RepositoryConfig } from "@x/server-core";

/**
 * Whom reflogs name for what a command does: the environment's committer, or that of the settings, or whoever runs it.
 * Spec: git-commit-tree, "Commit Information"; git-config, `user.name`.
 */
export function committerOf(
  env: Readonly<Record<string, string | undefined>>,
  config: Pick<RepositoryConfig, "get">,
): string {
  const setting = (key: string) => {
    const value = config.get(key);
    return value === undefined ? undefined : Buffer.from(value, "latin1").toString("utf8");
  };
  const user = userName();
  const name = env.GIT_COMMITTER_NAME ?? setting("committer.name") ?? setting("user.name") ?? user;
  const mail =
    env.GIT_COMMITTER_EMAIL ??
    setting("committer.email") ??
    setting("user.email") ??
    (env.EMAIL || `${user}@${hostname()}`);
  return `${clean(name) || user} <${clean(mail)}>`;
}

/** Without what would end a name or a line, and without what git takes off both ends. */
function clean(text: string): string {
  return text.replace(/[<>\n]/g, "").replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, "");
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown"; // a user without an entry of its own
  }
}
