import { PushCertificatesError } from "../errors.ts";

/** Reads what SSH writes: numbers in network order, strings behind their length. Spec: RFC 4251, section 5. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** A view. @throws PushCertificatesError `push-certificates/malformed` */
  bytes(length: number): Uint8Array {
    if (length > this.left) throw malformed("it ends too soon");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** @throws PushCertificatesError `push-certificates/malformed` */
  byte(): number {
    return this.bytes(1)[0] as number;
  }

  /** @throws PushCertificatesError `push-certificates/malformed` */
  uint32(): number {
    const [a, b, c, d] = this.bytes(4) as unknown as [number, number, number, number];
    return a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  }

  /** A view. @throws PushCertificatesError `push-certificates/malformed` */
  string(): Uint8Array {
    return this.bytes(this.uint32());
  }

  /** One character for each byte. @throws PushCertificatesError `push-certificates/malformed` */
  text(): string {
    return Buffer.from(this.string()).toString("latin1");
  }

  /** A number that is not negative, in network order, without zeros in front. @throws as {@link string} */
  mpint(): Uint8Array {
    const bytes = this.string();
    if (((bytes[0] ?? 0) & 0x80) !== 0) throw malformed("a number is negative");
    let zeros = 0;
    while (bytes[zeros] === 0) zeros++;
    return bytes.subarray(zeros);
  }

  /** @throws PushCertificatesError `push-certificates/malformed` when anything is left */
  end(): void {
    if (this.left !== 0) throw malformed("something follows it");
  }
}

/** A string as SSH writes it. */
export function wireString(bytes: Uint8Array | string): Uint8Array {
  const content = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, content.length);
  return Buffer.concat([length, content]);
}

export function malformed(what: string, cause?: unknown): PushCertificatesError {
  return new PushCertificatesError("push-certificates/malformed", `malformed: ${what}`, { cause });
}
