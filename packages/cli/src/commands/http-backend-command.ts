import { CliError } from "../errors.ts";
import type { AddCommand } from "./add-command.ts";

const MANUAL = `
A web server starts it for each request, with what RFC 3875 says in the
environment and the request's body on standard input. It does what
git-http-backend does, the smart protocol and the dumb one.

ENVIRONMENT
  GIT_PROJECT_ROOT  the directory of repositories; PATH_INFO is looked up below
                    it. Without it, PATH_TRANSLATED is the whole path.
  XGIT_FOLLOW_LINKS if true, symbolic links, "gitdir:" files and alternates may lead
                    out of GIT_PROJECT_ROOT, as git follows them.
  GIT_HTTP_EXPORT_ALL
                    if set, repositories without a file git-daemon-export-ok are
                    served too.
  REMOTE_USER       who the web server has found the client to be. With it pushes
                    and archives are allowed; without it only where the repository
                    says http.receivepack or http.uploadarchive.
  REMOTE_ADDR       where the client is. Both make the GIT_COMMITTER_NAME and
                    GIT_COMMITTER_EMAIL of reflogs and hooks, unless those are set.
  GIT_PROTOCOL      instead of the client's Git-Protocol header.
  GIT_HTTP_MAX_REQUEST_BUFFER
                    bytes of a request to fetch (default: 10m, or the repository's
                    http.maxRequestBuffer).
  GIT_NAMESPACE, GIT_CONFIG_*, GIT_USER_AGENT, XGIT_DURABILITY and XGIT_FSCK are
  those of xgit upload-pack and xgit receive-pack.

SETTINGS
  http.getanyfile, http.uploadpack, http.receivepack and http.uploadarchive turn
  the dumb protocol and the services on and off.

EXAMPLES
  # lighttpd
  setenv.set-environment += ( "GIT_PROJECT_ROOT" => "/srv/git",
                              "GIT_HTTP_EXPORT_ALL" => "1" )
  alias.url += ( "/git" => "/usr/local/lib/git-http-backend" )
  $HTTP["url"] =~ "^/git" { cgi.assign = ( "" => "" ) }

  # Apache
  SetEnv GIT_PROJECT_ROOT /srv/git
  SetEnv GIT_HTTP_EXPORT_ALL
  ScriptAlias /git/ /usr/local/lib/git-http-backend/

  ln -s "$(command -v xgit)" /usr/local/lib/git-http-backend
`;

/** For the list of commands and its manual alone: it has no time to load this. */
export const addHttpBackend: AddCommand = (program) => {
  program
    .command("http-backend")
    .summary("answer one request of a web server (CGI)")
    .description("Answers one HTTP request of a git client, as a CGI program behind a web server.")
    .addHelpText("after", MANUAL)
    .action(() => {
      throw new CliError("cli/usage", "http-backend takes no arguments");
    });
};
