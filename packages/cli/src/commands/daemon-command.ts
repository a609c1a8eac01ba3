import type { AddCommand } from "./add-command.ts";

const MANUAL = `
REPOSITORIES
  A client's git://HOST/NAME is looked up as git does: NAME/.git, NAME,
  NAME.git/.git, NAME.git, below --base-path, or where --interpolated-path says.
  Without either NAME is the whole path. A repository is served when it has a file
  git-daemon-export-ok or with --export-all, when it is the user's who runs this
  command or safe.directory of the machine's settings vouches for it, and when the
  DIRs, if there are any, hold it. Symbolic links do not lead out of the base path
  or the DIRs, unless with --follow-links; git-daemon follows them all.

  --interpolated-path takes %H, the host that the client names, in lower case and
  without what leads elsewhere; %CH, its canonical name; %IP, its address; %P, the
  port; %D, the path; %%. A client that names no host gets --base-path.

SERVICES
  upload-pack (fetch) is on, receive-pack (push) and upload-archive are off. A
  repository's daemon.uploadpack, daemon.receivepack and daemon.uploadarch may say
  otherwise, unless --forbid-override=SERVICE is given. Nobody is asked who they
  are: with receive-pack on, everybody may push.

HOOKS
  As in xgit serve; REMOTE_ADDR (IPv6 in brackets) and REMOTE_PORT tell them of
  the client. --access-hook is a line for the shell; behind it stand the service,
  the path, the host that the client names, its canonical name and address, and the
  port. When it fails, the client is refused, with --informative-errors in the
  words of the first line that it prints.

LIMITS
  Without --timeout and --init-timeout the limits are those of xgit serve, where
  git-daemon has none: ten seconds for the request, a minute of silence in a fetch,
  two minutes for a chunk that is not read. 0 is for ever. When --max-connections
  are open, one that has asked for nothing yet makes room, and beyond that the
  newest of the address that has most, for an address that has none.

SETTINGS
  Of the system, the user and the repository; a repository's includes do not count.

ENVIRONMENT
  XGIT_DURABILITY what is on the disk when a push is reported done: full, git or none.
  XGIT_FSCK       how pushed objects are checked where receive.fsckObjects and
                  transfer.fsckObjects are not set: strict, relaxed or off.
  REMOTE_ADDR, REMOTE_PORT
                  who the client is, with --inetd.

SIGNALS
  The first SIGINT or SIGTERM closes the ports and lets running requests end, for
  at most 20 seconds; the second one ends at once.

EXIT STATUS
  128 and the signal's number when a signal has ended it, 0 with --inetd or
  --detach, 128 after a message that starts with "fatal:", 129 for a command line
  that cannot be read.

EXAMPLES
  xgit daemon --base-path=/srv/git --export-all --verbose
  xgit daemon --listen=192.0.2.1 --listen=::1 --base-path=/srv/git /srv/git/public
  xgit daemon --interpolated-path=/srv/hosts/%H%D --user=git --detach
`;

/** For the list of commands and its manual alone: its command line is read as git-daemon reads its own. */
export const addDaemon: AddCommand = (program) => {
  program
    .command("daemon")
    .summary("serve repositories over git://, with git-daemon's flags")
    .description("Serves repositories over git:// until a signal ends it. Its flags are those of git daemon.")
    .argument("[DIR...]", "serve only what is in these directories")
    .option("--base-path=<PATH>", "what clients ask for is below this directory")
    .option("--base-path-relaxed", "if it is not there, take the path as the client wrote it")
    .option("--interpolated-path=<PATTERN>", "where each host has its repositories")
    .option("--user-path[=<PATH>]", "allow ~USER/NAME: PATH/NAME in the home of USER")
    .option("--export-all", "serve repositories without git-daemon-export-ok, too")
    .option("--strict-paths", "take paths as they are, and serve only the DIRs themselves")
    .option("--follow-links", "go where symbolic links lead")
    .option("--enable=<SERVICE>", "allow a service: upload-pack, receive-pack or upload-archive")
    .option("--disable=<SERVICE>", "do not allow it")
    .option("--allow-override=<SERVICE>", "let repositories decide (default)")
    .option("--forbid-override=<SERVICE>", "do not let them")
    .option("--access-hook=<COMMAND>", "ask this program about each request")
    .option("--informative-errors", "tell clients why a repository is not served")
    .option("--no-informative-errors", "tell them nothing (default)")
    .option("--no-hooks", "do not run the hooks of repositories")
    .option("--listen=<HOST>", "address to listen on, once for each (default: all)")
    .option("--port=<PORT>", "port to listen on (default: 9418)")
    .option("--reuseaddr", "for git's sake: it is always so")
    .option("--inetd", "serve one client on standard input and output")
    .option("--timeout=<SECONDS>", "end when a fetching client does nothing for so long")
    .option("--init-timeout=<SECONDS>", "end when no request has come by then")
    .option("--max-connections=<NUMBER>", "at the same time (default: 32), 0 for any number")
    .option("--detach", "go on in the background, once the port is open")
    .option("--pid-file=<FILE>", "write the number of the process there")
    .option("--user=<USER>", "become this user when the port is open")
    .option("--group=<GROUP>", "with this group instead of the user's own")
    .option("--syslog", "log to the system's log")
    .option("--log-destination=<WHERE>", "stderr (default), syslog (with --inetd or --detach) or none")
    .option("--verbose", "log connections and requests, not only errors")
    .addHelpText("after", MANUAL);
};
