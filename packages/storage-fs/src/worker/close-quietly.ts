import { closeSync } from "node:fs";

/** Closes a file that was only read: what the system finds wrong then is of no consequence. */
export function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // The descriptor is gone in any case.
  }
}
