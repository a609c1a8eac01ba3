import { ObjectsError, type ObjectsErrorCode } from "@x/objects";
import { PackError } from "../errors.ts";

/**
 * What the port of a store says of an error that came up while it was `reading`, or `taking` a pack in.
 * @returns `undefined` for errors that are about nothing of ours
 */
export function objectsErrorCode(error: unknown, work: "reading" | "taking"): ObjectsErrorCode | undefined {
  if (error instanceof ObjectsError) return error.code;
  if (!(error instanceof PackError)) return undefined;
  if (error.code === "pack/limit-exceeded") return "objects/limit-exceeded";
  if (error.code === "pack/nothing-selected") return "objects/nothing-selected";
  if (work === "taking") return "objects/bad-pack";
  return error.code === "pack/missing-object" ? "objects/not-found" : "objects/corrupt";
}
