/** A flag of `xgit serve` that sets one setting. */
export interface ServeFlag {
  /** As commander has it: `--http-port <PORT>`. */
  readonly flags: string;
  readonly text: string;
  /** Which setting. */
  readonly key: string;
  /** What a flag that takes no value sets. */
  readonly value?: unknown;
  /** It may be given several times. */
  readonly isList?: boolean;
}

/** In the order of the manual. */
export const SERVE_FLAGS: readonly ServeFlag[] = [
  { flags: "--host <HOST>", text: "address to listen on (default: 127.0.0.1)", key: "host" },
  {
    flags: "--http-port <PORT>",
    text: "port for http://, 0 for any free one, or off (default: 8418)",
    key: "http.port",
  },
  {
    flags: "--https-port <PORT>",
    text: "port for https://, 0 for any free one, or off (default: off)",
    key: "https.port",
  },
  {
    flags: "--tls-certificate <FILE>",
    text: "certificate for https://, in PEM, with those that lead to its root",
    key: "https.certificate",
  },
  { flags: "--tls-key <FILE>", text: "its key, in PEM", key: "https.key" },
  {
    flags: "--git-port <PORT>",
    text: "port for git://, 0 for any free one, or off (default: 9418)",
    key: "git.port",
  },
  {
    flags: "--ssh-port <PORT>",
    text: "port for ssh://, 0 for any free one, or off (default: 2222 with --ssh-keys, else off)",
    key: "ssh.port",
  },
  { flags: "--ssh-keys <FILE>", text: "who may log in there, as authorized_keys has it", key: "ssh.keys" },
  {
    flags: "--ssh-host-key <FILE>",
    text: "its own key, made if absent (default: below ~/.local/state/xgit)",
    key: "ssh.hostKey",
  },
  {
    flags: "--users <FILE>",
    text: "users with their passwords, as htpasswd -B writes them, tokens and SSH keys",
    key: "access.users",
  },
  {
    flags: "--access <FILE>",
    text: "who may read and write which repository (default: everybody reads, nobody writes)",
    key: "access.rules",
  },
  {
    flags: "--dumb-http",
    text: "serve the dumb protocol too: who may fetch sees all that a repository holds",
    key: "http.dumb",
    value: true,
  },
  {
    flags: "--enable <SERVICE>",
    text: "allow everybody a service: receive-pack, upload-archive",
    key: "enable",
    isList: true,
  },
  {
    flags: "--create-on-push",
    text: "a push to a repository that is not there makes it",
    key: "createOnPush",
    value: true,
  },
  {
    flags: "--durability <WHAT>",
    text: "what is on the disk when a push is reported done: full, git or none (default: full)",
    key: "durability",
  },
  { flags: "--no-hooks", text: "do not run the hooks of repositories", key: "hooks", value: false },
  {
    flags: "--fsck <HOW>",
    text: "how pushed objects are checked where a repository does not say: strict, relaxed or off (default: strict)",
    key: "fsck",
  },
  {
    flags: "--allowed-signers <FILE>",
    text: "whose SSH keys may sign pushes, as ssh-keygen has it",
    key: "signedPush.allowedSigners",
  },
  {
    flags: "--revoked-keys <FILE>",
    text: "SSH keys that may not any more: lines, or a KRL",
    key: "signedPush.revokedKeys",
  },
  {
    flags: "--openpgp-keys <FILE>",
    text: "whose OpenPGP keys may sign pushes, as gpg --export --armor writes them",
    key: "signedPush.openpgpKeys",
  },
  {
    flags: "--require-signed-push",
    text: "refuse a push that is not well signed",
    key: "signedPush.required",
    value: true,
  },
  {
    flags: "--admin-port <PORT>",
    text: "port for /livez, /readyz and /metrics over http://, or off (default: off)",
    key: "admin.port",
  },
  { flags: "--admin-host <HOST>", text: "its address (default: 127.0.0.1)", key: "admin.host" },
  {
    flags: "--audit-file <FILE>",
    text: "write a line for each push there instead of to the log",
    key: "audit.file",
  },
  { flags: "-q, --quiet", text: "log errors only", key: "log.level", value: "error" },
  {
    flags: "-v, --verbose",
    text: "log more than one line for each request",
    key: "log.level",
    value: "debug",
  },
  {
    flags: "--log-format <HOW>",
    text: "human, or json: one object in each line (default: human)",
    key: "log.format",
  },
  { flags: "--log-file <FILE>", text: "log there instead of standard error", key: "log.file" },
];

/** The name that commander has for a flag: `httpPort`. */
export function flagName(flags: string): string {
  const long = /--(?:no-)?([a-z-]+)/.exec(flags)?.[1] ?? flags;
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
