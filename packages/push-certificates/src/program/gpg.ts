import type { Verifier } from "../ssh/verify-ssh.ts";
import { parseGpgStatus, type TrustLevel } from "./gpg-status.ts";
import { type ProgramSettings, runProgram } from "./run-program.ts";
import { withFiles } from "./temporary-files.ts";

/** gpg, gpgsm, or what is called as they are. It has its own idea of whom to trust. */
export interface GpgProgram {
  /** A path, or a name that is looked for in `PATH`. Spec: git-config, `gpg.program`. */
  readonly program: string;
  /** Good signatures of keys that are trusted less count as `U`. Default: `undefined`, all count. */
  readonly minTrustLevel?: TrustLevel | undefined;
}

/**
 * Verifies with a program.
 * @param flags before git's own
 */
export function createGpgVerifier(
  { program, minTrustLevel }: GpgProgram,
  settings: ProgramSettings,
  flags: readonly string[],
): Verifier {
  return {
    check: async () => {},
    verify: (payload, armour, { signal }) =>
      withFiles([armour], async (file = "") => {
        const command = [program, ...flags, "--status-fd=1", "--verify", file, "-"] as const;
        const { stdout } = await runProgram(command, payload, { ...settings, signal });
        return parseGpgStatus(stdout, minTrustLevel);
      }),
  };
}
