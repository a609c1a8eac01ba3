import { readFileSync } from "node:fs";
import { createPushVerifier, type PushVerifierOptions } from "@x/push-certificates";
import type { PushVerdict, Repository } from "@x/server-core";

/** A file of test/data. Keys and signatures there were made once with ssh-keygen and OpenPGP.js, and tried with gpg. */
export function data(name: string): string {
  return readFileSync(new URL(`data/${name}`, import.meta.url), "latin1");
}

export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** What the signatures of test/data are under. */
export const PAYLOAD: string = data("payload.txt");

/** Verifiers ask for no more of a repository than what the test itself gives them. */
export const REPOSITORY = {} as Repository;

/** A moment at which the signatures of test/data were young. */
export const NOW: number = Date.UTC(2026, 1, 10);

/** What becomes of a signature under a payload. */
export async function verdict(
  options: PushVerifierOptions,
  signature: string,
  payload: string = PAYLOAD,
): Promise<PushVerdict> {
  const { verify } = createPushVerifier({ now: () => NOW, ...options });
  return verify(bytes(payload), bytes(signature), {
    repository: REPOSITORY,
    signal: new AbortController().signal,
  });
}

/** A source for what would stand in a file. */
export function given(text: string): () => Promise<string> {
  return async () => text;
}
