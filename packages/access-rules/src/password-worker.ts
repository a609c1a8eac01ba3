import { timingSafeEqual } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { compareSync } from "bcryptjs";
import { encrypt } from "unixcrypt";

/** What the thread is asked. */
export interface PasswordQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

/** What it answers. */
export interface PasswordAnswer {
  readonly id: number;
  readonly ok: boolean;
}

parentPort?.on("message", ({ id, password, hash }: PasswordQuestion) => {
  const answer: PasswordAnswer = { id, ok: isPassword(password, hash) };
  parentPort?.postMessage(answer);
});

function isPassword(password: string, hash: string): boolean {
  if (hash.startsWith("$2")) return compareSync(password, hash);
  const made = Buffer.from(encrypt(password, hash.slice(0, hash.lastIndexOf("$"))));
  const known = Buffer.from(hash);
  return made.length === known.length && timingSafeEqual(made, known);
}
