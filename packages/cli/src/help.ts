/** The parts of the help texts that are no list of options. */
export const PROGRAM = `
EXAMPLES
  xgit serve                      serve ./repositories to this machine
  xgit serve /srv/git             serve the repositories below /srv/git
  xgit COMMAND --help             say more about a command

EXIT STATUS
  0 when all went well, 128 after a message that starts with "fatal:", 129 for a
  command line that cannot be read.
`;

export const SERVE = `
REPOSITORIES
  A client's http://HOST:8418/NAME or git://HOST/NAME is looked up below DIR as git
  does: NAME/.git, NAME, NAME.git/.git, NAME.git. Nothing outside DIR is served,
  symbolic links out of it included. A repository that is missing and one that
  may not be seen look the same to a client.

  Without DIR, ./repositories is served; it is made if absent, and if it is empty
  a small demo.git is made in it.

PUSHES
  Neither transport knows who is there. So pushes are allowed when HOST is a
  loopback address, where only this machine can connect, and are off elsewhere
  unless --enable receive-pack says otherwise.

  When a push is reported done, all of it has reached the disk. --durability git
  waits for packs alone, as C git does, and none for nothing: then a loss of power
  may take away what was reported done, and leave half of it.

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

SIGNALS
  The first SIGINT or SIGTERM closes the ports and lets running requests end, for
  at most 20 seconds; the second one ends at once.

LOG
  One line for each request on standard error: time, client, transport, service,
  repository, protocol version, outcome, duration, and what else is known.

EXAMPLES
  xgit serve --http-port 0 --git-port off
  xgit serve /srv/git --host 0.0.0.0
  xgit serve /srv/git --host :: --enable receive-pack --create-on-push
`;

const STDIO = `
ENVIRONMENT
  GIT_PROTOCOL    version=1 or version=2, as sshd passes it on with
                  "AcceptEnv GIT_PROTOCOL". Anything odd in it is passed over.
  GIT_NAMESPACE   serves the refs of this namespace alone (gitnamespaces).
  GIT_CONFIG_*, GIT_OBJECT_DIRECTORY, GIT_ALTERNATE_OBJECT_DIRECTORIES,
  GIT_SHALLOW_FILE and GIT_USER_AGENT mean what they mean to git.
  XGIT_DURABILITY what is on the disk when a push is reported done: full, git or none.
  XGIT_FSCK       how pushed objects are checked where receive.fsckObjects and
                  transfer.fsckObjects are not set: strict, relaxed or off.
  GIT_TRACE_PACKET, GIT_TRACE2_EVENT
                  1, or the absolute path of a file: write down each packet, or
                  what is fetched and by whom as lines of JSON.

SETTINGS
  As git's own: of the system, the user, the repository, its work tree and the
  environment, includes followed.

EXIT STATUS
  0, 128 after "fatal: ..." on standard error, or 129 for a command line that
  cannot be read. Standard output carries nothing but the protocol.
`;

export const UPLOAD_PACK: string = `${STDIO}
EXAMPLES
  git clone --no-local -u "xgit upload-pack" /srv/git/demo.git
  git -c protocol.version=2 ls-remote --upload-pack "xgit upload-pack" HOST:demo.git
  ln -s "$(command -v xgit)" /usr/local/bin/git-upload-pack   # found by every client
`;

export const RECEIVE_PACK: string = `${STDIO}
EXAMPLES
  git push --receive-pack "xgit receive-pack" /srv/git/demo.git main
`;
