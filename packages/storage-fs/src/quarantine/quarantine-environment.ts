import { resolve } from "node:path";
import type { StoreLocation } from "../pool/worker-protocol.ts";

/**
 * What git's own programs need to see what lies in the quarantine `directory` of `store`, and to refuse to move refs to
 * it. Spec: git-receive-pack, "Quarantine Environment"; git, `GIT_ALTERNATE_OBJECT_DIRECTORIES`.
 */
export function quarantineEnvironment(
  directory: string,
  store: Pick<StoreLocation, "objectsDirectory" | "alternates">,
): ReadonlyMap<string, string> {
  const path = resolve(directory);
  const others = [...store.alternates, store.objectsDirectory].map((other) => quoted(resolve(other)));
  return new Map([
    ["GIT_ALTERNATE_OBJECT_DIRECTORIES", others.join(":")],
    ["GIT_OBJECT_DIRECTORY", path],
    ["GIT_QUARANTINE_PATH", path],
  ]);
}

const ESCAPES = new Map([
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

/** As C git, quotes only what would be read wrongly otherwise: older programs know no quotes there. */
function quoted(path: string): string {
  if (!path.startsWith('"') && !path.includes(":")) return path;
  let text = "";
  for (const byte of Buffer.from(path, "utf8"))
    text +=
      ESCAPES.get(byte) ??
      (byte < 0x20 || byte >= 0x7f ? `\\${byte.toString(8).padStart(3, "0")}` : String.fromCharCode(byte));
  return `"${text}"`;
}
