import { existsSync, readFileSync } from "node:fs";
import type { ObjectId } from "@x/objects";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import { parseShallow } from "../repository/shallow-file.ts";

/** The commits whose parents the store lacks on purpose. Spec: gitrepository-layout, `shallow`. */
export function readShallow({ shallowFile, format }: StoreLocation): ObjectId[] {
  if (!existsSync(shallowFile)) return []; // the usual case
  let text: string;
  try {
    text = readFileSync(shallowFile, "latin1");
  } catch {
    return [];
  }
  return parseShallow(text, format);
}
