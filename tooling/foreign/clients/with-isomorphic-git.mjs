// clone URL DIRECTORY | fetch DIRECTORY | push DIRECTORY REF, by isomorphic-git.
import fs from "node:fs";
import git from "isomorphic-git";
import http from "isomorphic-git/http/node";

const [action, ...rest] = process.argv.slice(2);
const onMessage = () => {};
if (action === "clone") {
  const [url, dir] = rest;
  await git.clone({ fs, http, url, dir, onMessage });
} else if (action === "fetch") {
  await git.fetch({ fs, http, dir: rest[0], remote: "origin", tags: true, onMessage });
} else {
  const [dir, ref] = rest;
  const { ok, refs } = await git.push({ fs, http, dir, remote: "origin", ref, remoteRef: ref, onMessage });
  if (!ok || !refs[ref]?.ok) throw new Error(JSON.stringify(refs));
}
