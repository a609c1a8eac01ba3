import type { RefOutcome, RefRejection } from "@x/refs";

/** The outcome of an edit that was refused. */
export function refused(reason: RefRejection, message: string): RefOutcome {
  return { status: "rejected", reason, message };
}

/** The outcome of an edit that would make `name` beside `other`, which is a file or not. */
export function inTheWay(name: string, other: string, isFile: boolean): RefOutcome {
  const lock = isFile ? `cannot lock ref '${name}': ` : "";
  const message = `${lock}'${other}' exists; cannot create '${name}'`;
  return { status: "rejected", reason: "name-conflict", message, conflict: other };
}

/** Beside `refs/heads/a` and `refs/heads/d/e/f`: what cannot be there, and what is in the way. */
export const CROWDED = [
  ["refs/heads/a/b", "refs/heads/a"],
  ["refs/heads/a/b/c", "refs/heads/a"],
  ["refs/heads/d", "refs/heads/d/e/f"],
  ["refs/heads/d/e", "refs/heads/d/e/f"],
  ["refs/heads/d/e/f/g", "refs/heads/d/e/f"],
] as const;
