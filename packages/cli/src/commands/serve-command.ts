import type { FsckPreset } from "@x/server-core";
import type { Durability } from "@x/storage-fs";
import { Option } from "commander";
import { collectService, parsePort } from "../args.ts";
import type { Verbosity } from "../serve/log.ts";
import type { CertificateFlags } from "../serve/serve-certificates.ts";
import type { AddCommand } from "./add-command.ts";

const MANUAL = `
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

EXIT STATUS
  0 when a signal has ended it and all requests were done, 128 after a message
  that starts with "fatal:", 129 for a command line that cannot be read.

EXAMPLES
  xgit serve --http-port 0 --git-port off
  xgit serve /srv/git --host 0.0.0.0
  xgit serve /srv/git --host :: --enable receive-pack --create-on-push
`;

interface ServeFlags extends CertificateFlags {
  readonly host: string;
  readonly httpPort?: number | "off";
  readonly gitPort?: number | "off";
  readonly enable: readonly string[];
  readonly createOnPush?: boolean;
  readonly durability: Durability;
  readonly hooks: boolean;
  readonly fsck: FsckPreset;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** `xgit serve`. */
export const addServe: AddCommand = (program, { terminal, setStatus }) => {
  program
    .command("serve")
    .summary("serve the repositories below a directory over http:// and git://")
    .description("Serves the repositories below DIR over http:// and git:// until a signal ends it.")
    .argument("[DIR]", "directory of repositories (default: ./repositories, made if absent)")
    .option("--host <HOST>", "address to listen on", "127.0.0.1")
    .option("--http-port <PORT>", "port for http://, 0 for any free one, or off (default: 8418)", parsePort)
    .option("--git-port <PORT>", "port for git://, 0 for any free one, or off (default: 9418)", parsePort)
    .addOption(
      new Option("--enable <SERVICE>", "allow a service: receive-pack")
        .argParser(collectService)
        .default([], "none"),
    )
    .option("--create-on-push", "a push to a repository that is not there makes it")
    .addOption(
      new Option("--durability <WHAT>", "what is on the disk when a push is reported done")
        .choices(["full", "git", "none"])
        .default("full"),
    )
    .option("--no-hooks", "do not run the hooks of repositories")
    .addOption(
      new Option("--fsck <HOW>", "how pushed objects are checked where a repository does not say")
        .choices(["strict", "relaxed", "off"])
        .default("strict"),
    )
    .option("--allowed-signers <FILE>", "whose SSH keys may sign pushes, as ssh-keygen has it")
    .option("--revoked-keys <FILE>", "SSH keys that may not any more: lines, or a KRL")
    .option(
      "--openpgp-keys <FILE>",
      "whose OpenPGP keys may sign pushes, as gpg --export --armor writes them",
    )
    .option("--require-signed-push", "refuse a push that is not well signed")
    .addOption(new Option("-q, --quiet", "log errors only").conflicts("verbose"))
    .option("-v, --verbose", "log more than one line for each request")
    .addHelpText("after", MANUAL)
    .action(async (directory: string | undefined, flags: ServeFlags) => {
      const { quiet, verbose, createOnPush = false, ...rest } = flags;
      const verbosity: Verbosity = quiet ? "quiet" : verbose ? "verbose" : "normal";
      const { serve } = await import("../serve/serve.ts");
      setStatus(await serve({ directory, ...rest, createOnPush, verbosity }, terminal));
    });
};
