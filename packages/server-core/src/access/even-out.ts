import type { ServiceError } from "../errors.ts";

/**
 * Lets a refusal that must not tell whether there is a repository leave at one of few moments: whether the disk was
 * looked at makes a fraction of a millisecond.
 * @param started by the clock of `performance.now`
 * @param stepMs between these moments, counted from `started`; 0 waits for nothing. Unit: milliseconds
 */
export async function evenOut(error: ServiceError, started: number, stepMs: number): Promise<void> {
  const telling =
    error.code === "server-core/unauthenticated" || error.code === "server-core/repository-not-found";
  if (!telling || stepMs <= 0) return;
  const late = (performance.now() - started) % stepMs;
  await new Promise<void>((resolve) => setTimeout(resolve, stepMs - late));
}
