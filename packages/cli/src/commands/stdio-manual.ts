/** What the manuals of the commands on standard input and output have in common. */
export const STDIO_MANUAL = `
SETTINGS
  As git's own: of the system, the user, the repository, its work tree and the
  environment, includes followed.

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

EXIT STATUS
  0, 128 after "fatal: ..." on standard error, or 129 for a command line that
  cannot be read. Standard output carries nothing but the protocol.
`;
