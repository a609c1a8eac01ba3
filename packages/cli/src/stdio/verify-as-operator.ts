import type { VerifyPush } from "@x/server-core";
import type { FileConfig } from "@x/storage-fs";
import { operatorVerifier } from "../operator-verifier.ts";
import { printable } from "../printable.ts";

/** Who runs the command, and where to complain to. */
export interface VerifyingOperator {
  readonly protectedConfig: FileConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes lines for standard error. */
  readonly warn: (line: string) => void;
}

/** Verifies one certificate with git's own settings: lists from all scopes, programs where no repository can name them. */
export async function verifyAsOperator(
  { protectedConfig, env, warn }: VerifyingOperator,
  ...[payload, signature, context]: Parameters<VerifyPush>
): ReturnType<VerifyPush> {
  const { config, directory = "." } = context.repository;
  try {
    const verifier = operatorVerifier({ lists: config, programs: protectedConfig, directory, env });
    return await verifier.verify(payload, signature, context);
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    warn(`warning: the push certificate was not verified: ${printable(reason)}`);
    throw error;
  }
}
