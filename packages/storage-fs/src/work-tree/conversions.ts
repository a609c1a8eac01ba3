import type { AttributeState, Attributes } from "@x/objects";
import { type LineEndings, lineEndingsOf } from "@x/objects";
import { isGitlink, SYMLINK } from "./index-entry.ts";
import type { ConversionSettings } from "./settings.ts";
import type { TreeFile } from "./tree-files.ts";

/** How a file is made of its blob; `unknown` with the attribute when that takes a program or a table not to be had here. */
export type Conversion =
  | { readonly kind: "endings"; readonly endings: LineEndings }
  | { readonly kind: "unknown"; readonly attribute: string };

const AS_IS: Conversion = { kind: "endings", endings: { file: "asIs", guess: false } };

/** How the file is to be converted, by its attributes. Spec: gitattributes, "Checking-out and checking-in". */
export function conversionOf(
  { path, mode }: Pick<TreeFile, "path" | "mode">,
  attributes: Attributes,
  settings: ConversionSettings,
): Conversion {
  if (mode === SYMLINK || isGitlink(mode)) return AS_IS;
  const known = attributes.of(path);
  const filter = known.get("filter");
  if (typeof filter === "string" && settings.filters.includes(filter))
    return { kind: "unknown", attribute: `filter=${filter}` };
  if (known.get("ident") === true) return { kind: "unknown", attribute: "ident" };
  const encoding = known.get("working-tree-encoding");
  if (isOtherEncoding(encoding)) return { kind: "unknown", attribute: `working-tree-encoding=${encoding}` };
  return { kind: "endings", endings: lineEndingsOf(known, settings) };
}

function isOtherEncoding(encoding: AttributeState): encoding is string {
  return typeof encoding === "string" && encoding !== "" && !/^utf-?8$/i.test(encoding);
}
