import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPushVerifier, requireSignedPush } from "@x/push-certificates";
import { combineHooks, createGitService, type GitService } from "@x/server-core";

const directory = await mkdtemp(join(tmpdir(), "trust-")); // /etc/git-server, say
const allowedSigners = join(directory, "allowed_signers");
await writeFile(
  allowedSigners,
  "ann@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJi9RyI/KeyhyeMsxMMZjiD/77AM0s/uzD9kVrq+sPqm\n",
);

const verifier = createPushVerifier({ ssh: { allowedSigners } });
await verifier.check(); // throws now, not at the first push, when the file is no good

export const service: GitService = createGitService({
  repositories: async () => undefined, // yours; git config receive.certNonceSeed asks pushers to sign
  services: ["git-upload-pack", "git-receive-pack"],
  agent: "example/1",
  verifyPush: verifier.verify,
  hooks: combineHooks(
    requireSignedPush({
      admit: async ({ signer }, { call }) =>
        signer === call.peer.user ? undefined : `signed by ${signer}, not by you`,
    }),
    { postReceive: async ({ certificate }) => console.log(certificate?.signer, certificate?.key) },
  ),
});

await rm(directory, { recursive: true });
