/*
 * Capabilities are words with an optional value, `key` or `key=value`, a space between two. In v0 they stand behind
 * a NUL on the first ref or command, or behind the id of a `want`; in v2 each has a packet.
 * Spec: gitprotocol-capabilities; gitprotocol-v2, "Capability Advertisement".
 */

/** What one side said it can do, in its order: each key with all its values, `undefined` where it stood alone. */
export type Capabilities = ReadonlyMap<string, readonly (string | undefined)[]>;

/** `key=value` taken apart at its first equals sign. */
export function parseCapability(word: string): { readonly key: string; readonly value: string | undefined } {
  const equals = word.indexOf("=");
  return equals < 0
    ? { key: word, value: undefined }
    : { key: word.slice(0, equals), value: word.slice(equals + 1) };
}

/** Reads a list; repeats are kept, more spaces than needed are not minded. */
export function parseCapabilities(text: string): Capabilities {
  const found = new Map<string, (string | undefined)[]>();
  for (const word of text.split(" ")) {
    if (word === "") continue;
    const { key, value } = parseCapability(word);
    const values = found.get(key);
    if (values === undefined) found.set(key, [value]);
    else values.push(value);
  }
  return found;
}

/** The list as text, repeats of a key side by side. */
export function formatCapabilities(
  capabilities: Iterable<readonly [string, readonly (string | undefined)[]]>,
): string {
  const words: string[] = [];
  for (const [key, values] of capabilities)
    for (const value of values) words.push(value === undefined ? key : `${key}=${value}`);
  return words.join(" ");
}

/** A line taken apart at its first NUL: a ref or a command, and the capabilities, if any, behind it. */
export function splitFirstLine(line: string): {
  readonly text: string;
  readonly capabilities: string | undefined;
} {
  const nul = line.indexOf("\0");
  return nul < 0
    ? { text: line, capabilities: undefined }
    : { text: line.slice(0, nul), capabilities: line.slice(nul + 1) };
}

/** `want <id> <capabilities>` taken apart at the second space; `undefined` when it is no want. */
export function splitWantLine(
  line: string,
): { readonly id: string; readonly capabilities: string } | undefined {
  if (!line.startsWith("want ")) return undefined;
  const space = line.indexOf(" ", 5);
  return space < 0
    ? { id: line.slice(5), capabilities: "" }
    : { id: line.slice(5, space), capabilities: line.slice(space + 1) };
}

/** A name fit for `agent=`: what is not printable ASCII, or is a space, becomes a dot. */
export function sanitizeAgent(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, ".");
}

/** `symref=<name>:<target>`. */
export function formatSymref(name: string, target: string): string {
  return `symref=${name}:${target}`;
}

/** The two names in the value of a `symref` capability; `undefined` when it has no colon. */
export function parseSymref(value: string): { readonly name: string; readonly target: string } | undefined {
  const colon = value.indexOf(":");
  return colon < 0 ? undefined : { name: value.slice(0, colon), target: value.slice(colon + 1) };
}
