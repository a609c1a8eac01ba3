import { readFileSync } from "node:fs";
import type { ObjectId } from "@x/objects";
import type { StoreLocation } from "../pool/worker-protocol.ts";
import { parseShallow } from "../repository/shallow-file.ts";

/** The commits whose parents the store lacks on purpose. Spec: gitrepository-layout, `shallow`. */
export function readShallow({ shallowFile, format }: StoreLocation): ObjectId[] {
  let text: string;
  try {
    text = readFileSync(shallowFile, "latin1");
  } catch {
    return []; // the usual case: there is no such file
  }
  return parseShallow(text, format);
}
