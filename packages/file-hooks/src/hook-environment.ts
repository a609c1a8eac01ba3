import type { PushCertificate, PushContext } from "@x/server-core";

/** Variables by name; those without a value are not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a program needs to run at all, and to speak the user's language. */
const KEPT: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "TMPDIR",
  "TZ",
  "LANG",
  "LANGUAGE",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "SSH_AUTH_SOCK",
]);

/**
 * The environment of a hook under a server: of the server's own just what programs need, so that no secret of it gets
 * into a script, and who is pushing, under the names that git-daemon and git-http-backend use.
 * @param own the environment of the server
 * Spec: git-daemon, "ENVIRONMENT"; git-http-backend, "ENVIRONMENT".
 */
export function serverEnvironment(own: Environment): (context: PushContext) => Environment {
  const kept = Object.entries(own).filter(([name]) => KEPT.has(name) || name.startsWith("LC_"));
  return ({ call: { peer, transport, version } }) => {
    const { address, port, user } = peer;
    const env: Record<string, string | undefined> = Object.fromEntries(kept);
    // Each as the program of git's own for it does.
    env.REMOTE_ADDR = transport === "git" && address?.includes(":") ? `[${address}]` : address;
    if (transport === "git" && port !== undefined) env.REMOTE_PORT = String(port);
    env.REMOTE_USER = user;
    if (version > 0) env.GIT_PROTOCOL = `version=${version}`;
    if (/^https?$/.test(transport)) {
      const name = user || "anonymous";
      env.GIT_COMMITTER_NAME = name;
      env.GIT_COMMITTER_EMAIL = `${name}@http.${address || "(none)"}`;
    }
    return env;
  };
}

/**
 * What every hook of a push has in its environment. Spec: githooks, "DESCRIPTION".
 * @param extra comes on top
 */
export function hookEnvironment(
  base: Environment,
  { repository }: PushContext,
  extra: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const env = new Map<string, string>();
  for (const [name, value] of Object.entries(base))
    if (value !== undefined && !NEVER_INHERITED.test(name)) env.set(name, withoutNul(value));
  // The directory that it runs in.
  env.set("GIT_DIR", ".");
  const namespace = namespaceOf(repository.namespace);
  if (namespace !== undefined) env.set("GIT_NAMESPACE", namespace);
  for (const [name, value] of extra) env.set(name, withoutNul(value));
  return env;
}

/** They speak of one push: another one may have started this one. */
const NEVER_INHERITED = /^GIT_PUSH_(?:OPTION|CERT)(?:_.*)?$/;

/** What pre-receive and post-receive know beyond that; values are one character for each byte. Spec: git-receive-pack, "pre-receive Hook"; githooks. */
export function pushEnvironment({ pushOptions, certificate }: PushContext): Map<string, string> {
  // Git says 0 as well where there was no talk of them, whatever its documentation says.
  const options = pushOptions ?? [];
  const env = new Map([["GIT_PUSH_OPTION_COUNT", String(options.length)]]);
  for (const [index, option] of options.entries()) env.set(`GIT_PUSH_OPTION_${index}`, option);
  if (certificate !== undefined) addCertificate(env, certificate);
  return env;
}

function addCertificate(env: Map<string, string>, certificate: PushCertificate): void {
  env.set("GIT_PUSH_CERT", certificate.id);
  env.set("GIT_PUSH_CERT_SIGNER", certificate.signer ?? "");
  env.set("GIT_PUSH_CERT_KEY", certificate.key ?? "");
  env.set("GIT_PUSH_CERT_STATUS", certificate.status);
  if (certificate.nonce === undefined) return;
  env.set("GIT_PUSH_CERT_NONCE", certificate.nonce);
  env.set("GIT_PUSH_CERT_NONCE_STATUS", certificate.nonceStatus);
  if (certificate.nonceSlop !== undefined) env.set("GIT_PUSH_CERT_NONCE_SLOP", String(certificate.nonceSlop));
}

/** `refs/namespaces/a/refs/namespaces/b/` is `a/b`. Spec: gitnamespaces. */
function namespaceOf(prefix: string | undefined): string | undefined {
  if (prefix === undefined) return undefined;
  const names = Buffer.from(prefix, "latin1").toString("utf8").split("refs/namespaces/");
  return names.join("").replace(/\/$/, "") || undefined;
}

/** A variable ends there. */
function withoutNul(text: string): string {
  const end = text.indexOf("\0");
  return end === -1 ? text : text.slice(0, end);
}
