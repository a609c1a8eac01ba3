import { RefsError } from "@x/refs";

/** Runs `work`; a failing disk is told as the port tells it. @throws RefsError `refs/unavailable` */
export async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const aborted = error instanceof Error && error.name === "AbortError";
    if (aborted || error instanceof RefsError) throw error;
    throw new RefsError("refs/unavailable", "the refs could not be read", { cause: error });
  }
}
