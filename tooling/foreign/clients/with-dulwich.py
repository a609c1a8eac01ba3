"""clone URL DIRECTORY | fetch DIRECTORY | push DIRECTORY REF, by dulwich."""
import io
import os
import sys

from dulwich import porcelain

action, *rest = sys.argv[1:]
quiet = io.BytesIO()
key = {"key_filename": os.environ["SSH_KEY"]} if "SSH_KEY" in os.environ else {}
if action == "clone":
    url, directory = rest
    porcelain.clone(url, directory, errstream=quiet)
elif action == "fetch":
    porcelain.fetch(rest[0], "origin", outstream=io.StringIO(), errstream=quiet)
elif action == "push":
    directory, ref = rest
    porcelain.push(directory, "origin", [f"{ref}:{ref}"], outstream=quiet, errstream=quiet)
