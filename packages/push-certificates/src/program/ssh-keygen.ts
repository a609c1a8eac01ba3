import type { PushVerdict } from "@x/server-core";
import { NAMESPACE, type SshTrust, type Verifier } from "../ssh/verify-ssh.ts";
import { TrustReader, type TrustSource } from "../trust-source.ts";
import { type ProgramSettings, runProgram } from "./run-program.ts";
import { withFiles } from "./temporary-files.ts";

/** ssh-keygen, or what is called as it is: it knows certificates as well. Spec: git-config, `gpg.ssh.program`. */
export interface SshProgram extends SshTrust {
  /** A path, or a name that is looked for in `PATH`. */
  readonly program: string;
}

/** More principals of one key are not tried. */
const MAX_PRINCIPALS = 64;

/** Verifies with a program, as git does: find the principals, then try each. */
export function createSshKeygenVerifier(trust: SshProgram, settings: ProgramSettings): Verifier {
  const { program } = trust;
  const readerOf = (source: TrustSource) =>
    new TrustReader(source, (bytes) => bytes, { maxBytes: settings.limits.maxTrustBytes });
  const allowed = readerOf(trust.allowedSigners);
  const revoked = trust.revokedKeys === undefined ? undefined : readerOf(trust.revokedKeys);
  return {
    async check() {
      await allowed.check();
      await revoked?.check();
    },
    async verify(payload, armour, { repository, signal }) {
      const run = (...args: string[]) => runProgram([program, ...args], payload, { ...settings, signal });
      const contents = [armour, await allowed.read(repository)];
      if (revoked !== undefined) contents.push(await revoked.read(repository));
      return withFiles(contents, async (signature = "", signers = "", revocations) => {
        const found = await run("-Y", "find-principals", "-f", signers, "-s", signature);
        const principals =
          found.status === 0 ? found.stdout.split(/\r?\n/).filter((line) => line !== "") : [];
        if (principals.length === 0)
          return verdictOf((await run("-Y", "check-novalidate", "-n", NAMESPACE, "-s", signature)).stdout);
        for (const principal of principals.slice(0, MAX_PRINCIPALS)) {
          const more = revocations === undefined ? [] : ["-r", revocations];
          const args = ["-n", NAMESPACE, "-f", signers, "-I", principal, "-s", signature, ...more];
          const { status, stdout } = await run("-Y", "verify", ...args);
          if (status === 0 && stdout.startsWith("Good")) return verdictOf(stdout);
        }
        return verdictOf("");
      });
    },
  };
}

/** Reads `Good "git" signature [for PRINCIPAL] with RSA key SHA256:...`. A principal may have any blank in it. */
function verdictOf(output: string): PushVerdict {
  const [, principal, key] =
    /^Good "git" signature (?:for (.*) )?with [^ ]+ key ([^ ]+)$/m.exec(output.split("\n")[0] ?? "") ?? [];
  if (key === undefined) return { status: "B", signer: undefined, key: undefined };
  return { status: principal === undefined ? "U" : "G", signer: principal, key };
}
