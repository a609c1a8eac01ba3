import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type ObjectFormat, type ObjectId, parseObjectId } from "@x/objects";
import type { QuickLook } from "../disk/quick-look.ts";

/** The commits whose parents a repository lacks on purpose. Spec: gitrepository-layout, `shallow`. */
export async function readShallowFile(
  location: { readonly shallowFile: string; readonly format: ObjectFormat },
  quick: QuickLook,
): Promise<ObjectId[]> {
  const read = () => readFile(location.shallowFile, "latin1").catch(() => "");
  // The usual case: there is no such file.
  const text = await quick.look(() => (existsSync(location.shallowFile) ? read() : ""), read);
  return parseShallow(text, location.format);
}

/** One id a line; what is none is passed over. */
export function parseShallow(text: string, format: ObjectFormat): ObjectId[] {
  return text.split("\n").flatMap((line) => parseObjectId(line.trim(), format) ?? []);
}
