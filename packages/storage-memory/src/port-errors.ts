import { ArchiveError, archiveErrorCode } from "@x/archive";
import { ObjectsError } from "@x/objects";
import { objectsErrorCode, PackError } from "@x/pack";

/** What went wrong in the words of `@x/objects`, the only ones its ports speak; a call that was called off keeps its reason. */
export function portError(
  error: unknown,
  work: "reading" | "taking",
  signal: AbortSignal | undefined,
): unknown {
  if (error instanceof ObjectsError || signal?.aborted) return error;
  const code = objectsErrorCode(error, work) ?? archiveErrorCode(error) ?? "objects/unavailable";
  const message = error instanceof Error ? error.message : String(error);
  const id = error instanceof PackError || error instanceof ArchiveError ? error.id : undefined;
  return new ObjectsError(code, message, { cause: error, ...(id === undefined ? {} : { id }) });
}

/** Does `work`. @throws ObjectsError, or the reason of the signal */
export async function throughPort<T>(
  work: () => T | Promise<T>,
  options: { readonly signal?: AbortSignal | undefined } | undefined,
  kind: "reading" | "taking" = "reading",
): Promise<T> {
  try {
    options?.signal?.throwIfAborted();
    return await work();
  } catch (error) {
    throw portError(error, kind, options?.signal);
  }
}
