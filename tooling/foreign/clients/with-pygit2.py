"""clone URL DIRECTORY | fetch DIRECTORY | push DIRECTORY REF, by libgit2."""
import os
import sys

import pygit2


class Callbacks(pygit2.RemoteCallbacks):
    def credentials(self, url, username, allowed):
        key = os.environ["SSH_KEY"]
        return pygit2.Keypair(username or "git", f"{key}.pub", key, "")

    def certificate_check(self, certificate, valid, host):
        return True

    def push_update_reference(self, ref, message):
        if message is not None:
            raise SystemExit(f"{ref}: {message}")


action, *rest = sys.argv[1:]
if action == "clone":
    url, directory = rest
    pygit2.clone_repository(url, directory, callbacks=Callbacks())
elif action == "fetch":
    pygit2.Repository(rest[0]).remotes["origin"].fetch(callbacks=Callbacks())
elif action == "push":
    directory, ref = rest
    pygit2.Repository(directory).remotes["origin"].push([f"{ref}:{ref}"], callbacks=Callbacks())
