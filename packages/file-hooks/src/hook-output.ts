/** How {@link HookOutput} treats what it is given. */
export interface HookOutputOptions {
  /** Takes texts for the user, and must not keep bytes. */
  readonly show: (text: string | Uint8Array) => void;
  /** Let terminal sequences through as they are. */
  readonly verbatim: boolean;
  /** Unit: bytes. */
  readonly maxBytes: number;
  /** For the line that says that the rest is dropped. */
  readonly name: string;
}

/** What a hook prints, on its way to the user: whole characters, no more than a limit, and nothing that steers a terminal. */
export class HookOutput {
  readonly #options: HookOutputOptions;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #left: number;
  /** The beginning of a sequence whose end has not come. */
  #held = "";
  #atLineStart = true;

  constructor(options: HookOutputOptions) {
    this.#options = options;
    this.#left = options.maxBytes;
  }

  /** Nothing more is shown. */
  get isFull(): boolean {
    return this.#left < 0;
  }

  write(bytes: Uint8Array): void {
    if (this.isFull) return;
    const part = bytes.subarray(0, this.#left);
    this.#left -= part.length;
    if (this.#options.verbatim) this.#pass(part);
    else this.#show(this.#decoder.decode(part, { stream: true }));
    if (part.length < bytes.length) {
      this.end();
      this.#left = -1;
      this.say(
        `the ${this.#options.name} hook printed more than ${this.#options.maxBytes} bytes; the rest is dropped`,
      );
    }
  }

  /** What was held back comes out. */
  end(): void {
    if (!this.isFull && !this.#options.verbatim) this.#show(this.#decoder.decode(), true);
  }

  /** A line of our own. */
  say(line: string): void {
    this.#options.show(`${this.#atLineStart ? "" : "\n"}${line}\n`);
    this.#atLineStart = true;
  }

  #pass(bytes: Uint8Array): void {
    const last = bytes.at(-1);
    if (last === undefined) return;
    this.#atLineStart = last === 0x0a || last === 0x0d;
    this.#options.show(bytes);
  }

  #show(text: string, last = false): void {
    const all = this.#held + text;
    const cut = last ? -1 : all.search(UNFINISHED);
    this.#held = cut === -1 ? "" : all.slice(cut);
    const shown = withoutControls(cut === -1 ? all : all.slice(0, cut));
    if (shown === "") return;
    this.#atLineStart = /[\n\r]$/.test(shown);
    this.#options.show(shown);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is about them
const UNFINISHED = /\x1b(?:\[[0-9:;]{0,64})?$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is about them
const CONTROLS = /\x1b\[[0-9:;]{0,64}m|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/**
 * Shows control characters instead of obeying them, as git's own client does: a hook may print what a pusher wrote. Line
 * ends, tabs and colours stay.
 */
function withoutControls(text: string): string {
  return text.replace(CONTROLS, (found) => {
    if (found.length > 1) return found;
    const code = found.charCodeAt(0);
    if (code >= 0x80) return "\ufffd";
    return `^${code === 0x7f ? "?" : String.fromCharCode(code + 0x40)}`;
  });
}
