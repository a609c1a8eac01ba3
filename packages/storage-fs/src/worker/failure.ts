import { ArchiveError, archiveErrorCode } from "@x/archive";
import { ObjectsError } from "@x/objects";
import { objectsErrorCode, PackError } from "@x/pack";
import type { Failure, OperationName } from "../pool/worker-protocol.ts";
import { Aborted } from "./job.ts";

/** Puts an error into the words of `@x/objects`, the only ones a port speaks. */
export function describeFailure(error: unknown, operation: OperationName): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const id =
    error instanceof PackError || error instanceof ObjectsError || error instanceof ArchiveError
      ? error.id
      : undefined;
  return { code: codeOf(error, operation), message, objectId: id };
}

function codeOf(error: unknown, operation: OperationName): string {
  if (error instanceof Aborted) return "aborted";
  return (
    archiveErrorCode(error) ??
    objectsErrorCode(error, operation === "takePack" ? "taking" : "reading") ??
    "objects/unavailable"
  );
}
