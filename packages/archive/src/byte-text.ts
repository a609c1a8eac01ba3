/** Texts in this package have one character for each byte, unless they are said to be text. */
export function toBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const CHUNK = 8192;

/** The reverse of {@link toBytes}. */
export function fromBytes(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK)
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return text;
}

/** Whether git takes the text for UTF-8; `strictly` everything in it being valid. Spec: RFC 3629; U+FFFE and U+FFFF are none. */
export function isUtf8(text: string): boolean {
  const at = (index: number) => text.charCodeAt(index); // NaN behind the end fits nowhere
  const follows = (index: number) => (at(index) & 0xc0) === 0x80;
  for (let i = 0; i < text.length; ) {
    const byte = at(i);
    if (byte < 0x80) i++;
    else if ((byte & 0xe0) === 0xc0) {
      if (!follows(i + 1) || byte < 0xc2) return false;
      i += 2;
    } else if ((byte & 0xf0) === 0xe0) {
      const second = at(i + 1);
      if (!follows(i + 1) || !follows(i + 2)) return false;
      if ((byte === 0xe0 && second < 0xa0) || (byte === 0xed && second >= 0xa0)) return false;
      if (byte === 0xef && second === 0xbf && at(i + 2) >= 0xbe) return false;
      i += 3;
    } else {
      const second = at(i + 1);
      if ((byte & 0xf8) !== 0xf0 || !follows(i + 1) || !follows(i + 2) || !follows(i + 3)) return false;
      if ((byte === 0xf0 && second < 0x90) || byte > 0xf4 || (byte === 0xf4 && second > 0x8f)) return false;
      i += 4;
    }
  }
  return true;
}

/** Whether there is nothing but ASCII in it. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}
