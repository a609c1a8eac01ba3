import type { AddCommand } from "./add-command.ts";

const MANUAL = `
COMMANDS
  git-upload-pack, git-receive-pack and git-upload-archive with one path, quoted as
  git quotes it; "git upload-pack" and so on as well. Everything else is refused,
  and so is a terminal. The command comes from -c, or else from
  SSH_ORIGINAL_COMMAND, where sshd puts what the client asked for.

BEHIND SSHD
  With one line for each key in ~git/.ssh/authorized_keys, all of one user "git":
    restrict,command="xgit shell --user ada --root /srv/git" ssh-ed25519 AAAA... ada
  Or as the login shell of somebody who has an account, by a link of git-shell's
  name (no flags can be given then: the path is the repository, as in git):
    ln -s "$(command -v xgit)" /usr/local/bin/git-shell
    chsh -s /usr/local/bin/git-shell ada
  In sshd_config, "AcceptEnv GIT_PROTOCOL" lets clients speak version 2. Let no
  other GIT_ variable in.

REPOSITORIES
  With --root, /a.git, a.git and ~/a.git are the repository a.git below it, and
  nothing outside is served. Without, paths are those of the account that runs
  this, relative to its home.

ACCESS
  With --access, what --user may do with a repository below --root stands in the
  file: "repo PATTERN...", and below it "read WHO..." and "write WHO...". The last
  section that fits counts; before the first, everybody may read. A repository that
  is missing and one that is not for this user look the same. Without --access, who
  has a key may read and write.

ENVIRONMENT
  Of GIT_ variables: GIT_PROTOCOL from the client, if it is one; GIT_NAMESPACE,
  GIT_CONFIG_GLOBAL, GIT_CONFIG_SYSTEM, GIT_CONFIG_NOSYSTEM, GIT_USER_AGENT and
  GIT_COMMITTER_* as the operator has them. Hooks get REMOTE_USER and REMOTE_ADDR.

EXIT STATUS
  That of the command: 0, or 128 after "fatal: ..."; 1 for who only tries a key.
`;

/** For the list of commands and its manual alone: its command line is read by hand, as it has to start quickly. */
export const addShell: AddCommand = (program) => {
  program
    .command("shell")
    .summary("be the shell of those who may do nothing but git, behind sshd")
    .description("Runs one of Git's commands for a client of sshd, and nothing else.")
    .option("-c <COMMAND>", "what to run (default: SSH_ORIGINAL_COMMAND)")
    .option("--user <NAME>", "whose key it was, for rules, hooks and reflogs")
    .option("--root <DIR>", "serve the repositories below DIR, and nothing else")
    .option("--also-within <DIR>", "links and alternates of what lies below --root may lead there, too")
    .option("--access <FILE>", "rules for who may read and write which repository")
    .addHelpText("after", MANUAL);
};
