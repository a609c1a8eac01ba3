const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });

/** One character for each byte. `TextDecoder("latin1")` will not do: it is windows-1252. */
export function byteStringFromBytes(bytes: Uint8Array): string {
  // Each invalid byte gives one U+FFFD, each valid sequence fewer characters than bytes: equal lengths without
  // U+FFFD mean ASCII, and decoding that is one copy.
  const text = utf8.decode(bytes);
  if (text.length === bytes.length && !text.includes("\ufffd")) return text;
  const wide = new Uint8Array(bytes.length * 2);
  for (let i = 0; i < bytes.length; i++) wide[i * 2] = bytes[i] as number;
  return utf16.decode(wide);
}

/** The bytes of a string that has one character for each byte. */
export function bytesFromByteString(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
