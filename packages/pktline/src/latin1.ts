/** One character for each byte, so that nothing is lost on the way there and back. `TextDecoder` has no such encoding. */
export function decodeLatin1(bytes: Uint8Array): string {
  if (bytes.length <= PIECE) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE)
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + PIECE) as unknown as number[]);
  return text;
}

// A call's arguments live on the stack.
const PIECE = 8192;

/** The bytes of a text whose characters are bytes; of a character above 255 the low byte. */
export function encodeLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A payload as text, without the one line feed that may end it. */
export function lineText(payload: Uint8Array): string {
  const end = payload.length - 1;
  return decodeLatin1(payload[end] === 0x0a ? payload.subarray(0, end) : payload);
}
