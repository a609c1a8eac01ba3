import { type Command, Option } from "commander";
import { SERVE_FLAGS } from "../config/serve-flags.ts";
import type { AddCommand } from "./add-command.ts";

const MANUAL = `
REPOSITORIES
  A client's http://HOST:8418/NAME or git://HOST/NAME is looked up below DIR as git
  does: NAME/.git, NAME, NAME.git/.git, NAME.git. Nothing outside DIR is served,
  symbolic links out of it included, and no repository that borrows objects from
  there (objects/info/alternates): alsoWithin lists other directories where both may
  lead. A repository that is missing and one that may not be seen look the same to a
  client.

  Without DIR, ./repositories is served; it is made if absent, and if it is empty
  a small demo.git is made in it.

PUSHES
  Without --users and --access, no transport but ssh knows who is there. So pushes
  are allowed when HOST is a loopback address, where only this machine can connect,
  and are off elsewhere unless --enable receive-pack says otherwise.

  When a push is reported done, all of it has reached the disk. --durability git
  waits for packs alone, as C git does, and none for nothing: then a loss of power
  may take away what was reported done, and leave half of it.

USERS
  --users names a file with a line for each way in, NAME:HASH: a password's hash as
  htpasswd -nB NAME writes it, $sha256$ and the SHA-256 of a token, or an SSH key.
  --access names a file with lines "repo PATTERN...", and below each "read WHO..."
  and "write WHO...", where WHO is a user, @GROUP, users or anyone; the last "repo"
  that fits counts, and "group NAME = USER..." makes a group. With either of the
  flags, who may do what is decided there alone: without --access everybody may
  read and nobody may write. Over http and https a client is asked for its name and
  password; over ssh its key says who it is; over git:// everybody is nobody.
  Both files are read again when they change.

  A repository that is missing, and one that is not for this user, look the same.
  After too many failures nobody listens to an address, or to a user, for a while.
  Passwords over http:// can be read on the way: use --https-port or a proxy.

HOOKS
  The scripts in a repository's hooks/ run as git runs them, as the user who runs
  this command: pre-receive, update, post-receive, post-update, proc-receive,
  push-to-checkout, reference-transaction. core.hooksPath and hook.<name>.command
  count in the settings of the machine and the user, never in a repository's.
  A repository that belongs to another user cannot be pushed to unless
  safe.directory says so, or --no-hooks leaves all hooks out.

SIGNED PUSHES
  A repository with receive.certNonceSeed in its config, or any when the machine's
  settings have one, asks for signatures (git push --signed). Hooks learn who signed
  in GIT_PUSH_CERT_STATUS and the other variables of git; --require-signed-push
  refuses what is not signed, or not by a key that is allowed. Without the flags for
  keys, gpg.ssh.allowedSignersFile and gpg.program of the machine's settings count.

PORTS
  When no port is given and the usual one is taken, another free one is used and
  named. A port that was given is used, or the command ends.

CONFIGURATION
  Whatever a flag says can stand in a file, and much more can: --print-config prints
  all settings with their values. A flag counts more than a variable of the
  environment, a variable more than the file, and that more than what holds by
  default. What is no setting is refused. Relative paths count from the file.

    # xgit.toml
    root = "/srv/git"
    host = "0.0.0.0"
    [https]
    port = 443
    certificate = "tls/fullchain.pem"
    key = "tls/key.pem"
    [limits]
    maxPackBytes = 10_000_000_000

  Limits have their names from LIMITS.md: below limits those of a request, below
  http.limits and git.limits those of a transport, below hook.limits those of hook
  scripts; "none" is no limit.

ENVIRONMENT
  XGIT_CONFIG     the file, where --config does not name one.
  XGIT_*          any setting: http.port is XGIT_HTTP_PORT, limits.maxPackBytes is
                  XGIT_LIMITS_MAX_PACK_BYTES. Lists have commas between their words.
  NO_COLOR        the log on a terminal is not painted.

HTTPS
  --https-port takes --tls-certificate and --tls-key. Both files are looked at every
  two seconds, and read again when they have changed; connections that are open go on.
  TLS 1.2 is the oldest that is spoken.

SSH
  --ssh-keys lists who may log in, as authorized_keys does; the first word of a
  key's comment is its user's name. The server's own key is made at its first start,
  and its fingerprint is printed at each. Nobody gets a shell.

ADMIN
  --admin-port opens a port on a loopback address, apart from those for clients:
  /livez says ok as long as the process answers; /readyz does when requests can be
  sent, which is not so while it ends and when the repositories cannot be read;
  /metrics has figures for Prometheus, of requests, packs, phases and the process,
  and none that names a repository. With admin.token (XGIT_ADMIN_TOKEN) /metrics
  wants it as "Authorization: Bearer TOKEN".

SIGNALS
  The first SIGINT or SIGTERM closes the ports and lets running requests end, for
  at most 20 seconds; the second one ends at once.

  SIGHUP opens the files of the log and of the records anew, reads the certificate
  again, and takes over log.level from a config file that has changed; of the rest
  the log says that it counts from the next start on.

LOG
  One line for each request on standard error: time, client, transport, service,
  repository, protocol version, outcome, duration, and what else is known. With
  --log-format json each line is an object.

  Each push leaves a record when it is over: who, from where, each ref with its old
  and new id and what became of it. It goes to the log, or with --audit-file to a
  file, an object of JSON in each line; audit.enabled = false leaves it out.

EXIT STATUS
  0 when a signal has ended it and all requests were done, 128 after a message
  that starts with "fatal:", 129 for a command line that cannot be read.

EXAMPLES
  xgit serve --http-port 0 --git-port off
  xgit serve /srv/git --host 0.0.0.0
  xgit serve /srv/git --host :: --enable receive-pack --create-on-push
  xgit serve --config /etc/xgit.toml
  xgit serve --set limits.maxWants=1000 --print-config > xgit.toml
`;

/** `xgit serve`. */
export const addServe: AddCommand = (program, { terminal, setStatus }) => {
  const command = program
    .command("serve")
    .summary("serve the repositories below a directory over http, https, git:// and ssh")
    .description(
      "Serves the repositories below DIR over http://, https://, git:// and ssh:// until a signal ends it.",
    )
    .argument("[DIR]", "directory of repositories (default: ./repositories, made if absent)")
    .addOption(
      new Option("--config <FILE>", "read settings from a file, in TOML, or JSON if it ends in .json"),
    )
    .addOption(
      new Option("--print-config", "print what holds, as such a file, and who set it; serve nothing"),
    );
  for (const { flags, text, isList } of SERVE_FLAGS) {
    const option = new Option(flags, text);
    if (isList) option.argParser((value: string, before: readonly string[] = []) => [...before, value]);
    command.addOption(option);
  }
  command
    .addOption(
      new Option("--set <KEY=VALUE>", "set anything that a config file can set; may be repeated").argParser(
        (value: string, before: readonly string[] = []) => [...before, value],
      ),
    )
    .addHelpText("after", MANUAL)
    .action(async (directory: string | undefined) => {
      const { readServeConfig } = await import("../config/serve-config.ts");
      const given = givenOn(command);
      const read = () => readServeConfig(directory, given, terminal);
      const config = await read();
      if (given.has("printConfig")) {
        const { printConfig } = await import("../config/print-config.ts");
        terminal.stdout.write(printConfig(config));
        return;
      }
      const { serve } = await import("../serve/serve.ts");
      setStatus(await serve(config, terminal, read));
    });
};

/** What the command line says, by the names that commander has for flags. */
function givenOn(command: Command): ReadonlyMap<string, unknown> {
  const values = Object.entries(command.opts<Record<string, unknown>>());
  return new Map(values.filter(([name]) => command.getOptionValueSource(name) === "cli"));
}
