import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAccess } from "@x/access-rules";

const directory = await mkdtemp(join(tmpdir(), "x-access-"));
const usersFile = join(directory, "users");
const accessFile = join(directory, "access");
await writeFile(
  usersFile,
  `# htpasswd -nB ada
ada:$2y$04$xzbfwSMt6hmYrmR90Ktsk.XzmXqDeUoxP5jix/M9422ZaX6MGtjdy
# printf %s "$TOKEN" | sha256sum
ci:$sha256$0d4ac0efbe5bbbd9b8a4dbb5f6d1f1e8ab0a56a8e7d4d1d5f44ab1f0ad5e54c7
`,
);
await writeFile(
  accessFile,
  `group team = ada ci
repo **
  read anyone
repo team/**
  read users
  write @team
`,
);

// `authorize` is for createGitService, `authenticate` for createSshGitServer.
const { authorize, close } = await openAccess({ usersFile, accessFile });
const ask = {
  repository: "/team/a.git",
  service: "git-receive-pack",
  transport: "http",
  peer: { address: "192.0.2.1" },
  signal: new AbortController().signal,
} as const;
console.log(await authorize({ ...ask, credentials: { kind: "anonymous" } }));
console.log(await authorize({ ...ask, credentials: { kind: "basic", user: "ada", password: "pässword" } }));

await close();
await rm(directory, { recursive: true });
