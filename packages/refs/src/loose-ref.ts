import { hexIdLength, type ObjectFormat, parseObjectId } from "@x/objects";
import { byteStringFromBytes, bytesFromByteString } from "./byte-string.ts";
import { isSymbolicTarget } from "./ref-name.ts";
import type { RefTarget } from "./ref-store.ts";

/*
 * <id> LF   or   "ref:" SP <name> LF
 * Blank at the end is dropped, and so is what follows blank after an id (FETCH_HEAD has more there).
 */

/**
 * What a loose ref file says. Spec: gitrepository-layout, "refs"; git-symbolic-ref, "NOTES".
 * @returns `undefined` when it is broken: neither form, or a symbolic target that is no name (see `isSymbolicTarget`)
 */
export function parseLooseRef(file: Uint8Array, format: ObjectFormat): RefTarget | undefined {
  const text = byteStringFromBytes(file);
  if (text.startsWith("ref:")) {
    const name = text.slice(4).replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
    return isSymbolicTarget(name) ? { kind: "symbolic", name } : undefined;
  }
  const length = hexIdLength(format);
  if (text.length > length && !/[ \t\r\n]/.test(text.charAt(length))) return undefined;
  const id = parseObjectId(text.slice(0, length), format);
  return id === undefined ? undefined : { kind: "id", id };
}

/** The bytes of a loose ref file, as C git writes them. */
export function formatLooseRef(target: RefTarget): Uint8Array {
  return bytesFromByteString(target.kind === "id" ? `${target.id}\n` : `ref: ${target.name}\n`);
}
