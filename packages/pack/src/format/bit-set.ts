/** A fixed number of bits, all 0 to begin with. */
export class BitSet {
  readonly size: number;
  /** Bit `i` is bit `i % 32` of word `i / 32`. Of an even number: bitmap files count in words of 64 bits. */
  readonly words: Uint32Array;

  constructor(size: number) {
    this.size = size;
    this.words = new Uint32Array(2 * Math.ceil(size / 64));
  }

  has(bit: number): boolean {
    return ((this.words[bit >>> 5] as number) & (1 << (bit & 31))) !== 0;
  }

  /** Adds all of `other`, which has the same size. */
  or(other: BitSet): void {
    const { words } = this;
    const theirs = other.words;
    for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) | (theirs[i] as number);
  }

  /** Takes all of `other` out, which has the same size. */
  remove(other: BitSet): void {
    const { words } = this;
    const theirs = other.words;
    for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) & ~(theirs[i] as number);
  }

  clear(): void {
    this.words.fill(0);
  }

  /** The first bit from `from` on that is 1; -1 when there is none. */
  next(from: number): number {
    const { words } = this;
    let at = from >>> 5;
    if (at >= words.length) return -1;
    let word = (words[at] as number) & (-1 << (from & 31));
    while (word === 0) {
      if (++at >= words.length) return -1;
      word = words[at] as number;
    }
    return at * 32 + 31 - Math.clz32(word & -word);
  }
}
