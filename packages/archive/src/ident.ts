import { type CreateHasher, hashObject, type ObjectFormat } from "@x/objects";
import { fromBytes, toBytes } from "./byte-text.ts";

/** Puts a blob's id into its `$Id$`. Spec: gitattributes, `ident`. */
export function expandIdent(blob: Uint8Array, format: ObjectFormat, createHasher: CreateHasher): Uint8Array {
  const text = fromBytes(blob);
  if (!/\$Id(?:\$|:[^$\n]*\$)/.test(text)) return blob;
  const id = hashObject(format, "blob", blob, createHasher);
  let expanded = "";
  let at = 0;
  for (;;) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0) break;
    expanded += text.slice(at, dollar + 1);
    at = dollar + 1;
    if (text.length - at < 3 || !text.startsWith("Id", at)) continue;
    if (text[at + 2] === "$") at += 3;
    else if (text[at + 2] === ":") {
      const end = text.indexOf("$", at + 3);
      if (end < 0) break;
      const inside = text.slice(at + 3, end);
      if (inside.includes("\n")) continue;
      const blank = inside.indexOf(" ", 1);
      // Another system's id, which is left alone.
      if (blank >= 0 && blank < inside.length - 1) continue;
      at = end + 1;
    } else continue;
    expanded += `Id: ${id} $`;
  }
  return toBytes(expanded + text.slice(at));
}
