const HEX_VALUE: Int8Array = new Int8Array(128).fill(-1);
for (const [value, digits] of Object.entries("0123456789abcdef"))
  HEX_VALUE[digits.charCodeAt(0)] = Number(value);
for (const [value, digits] of Object.entries("0123456789ABCDEF"))
  HEX_VALUE[digits.charCodeAt(0)] = Number(value);

/**
 * Percent-decodes once, and reads the bytes as UTF-8.
 * @param text characters are bytes: what Node gives for a request line
 * @returns `undefined` for an escape that is none, and for bytes that are not UTF-8 in its shortest form
 */
export function decodeOnce(text: string): string | undefined {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let byte = text.charCodeAt(i);
    if (byte > 0xff) return undefined;
    if (byte === 0x25) {
      const high = HEX_VALUE[text.charCodeAt(i + 1)] ?? -1;
      const low = HEX_VALUE[text.charCodeAt(i + 2)] ?? -1;
      if (high < 0 || low < 0) return undefined;
      byte = high * 16 + low;
      i += 2;
    }
    bytes[length++] = byte;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length));
  } catch {
    return undefined;
  }
}

/**
 * The names in a raw URL path, decoded once. A path that could mean another one is none of ours: no name is empty,
 * `.` or `..`, or holds a slash, a backslash or a control character.
 */
export function decodeSegments(rawPath: string): string[] | undefined {
  if (!rawPath.startsWith("/")) return undefined;
  const segments: string[] = [];
  for (const raw of rawPath.slice(1).split("/")) {
    const name = decodeOnce(raw);
    if (name === undefined || name === "" || name === "." || name === ".." || hasForbidden(name))
      return undefined;
    segments.push(name);
  }
  return segments;
}

function hasForbidden(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x2f || code === 0x5c) return true;
  }
  return false;
}
