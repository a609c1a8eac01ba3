import { open } from "node:fs/promises";
import { AccessRulesError } from "./errors.ts";

/** What {@link WatchedFile} goes by. */
export interface WatchedFileOptions<T> {
  readonly path: string;
  /** @throws AccessRulesError */
  readonly parse: (text: string) => T;
  readonly maxBytes: number;
  /** Unit: milliseconds. */
  readonly reloadMs: number;
  readonly now: () => number;
  /** What is wrong with the file as it is now. What was read before still counts. */
  readonly onError: (error: Error) => void;
}

/** What a file says, read again when it has changed. */
export class WatchedFile<T> {
  readonly #options: WatchedFileOptions<T>;
  #value: T;
  #stamp: string;
  #looked: number;
  #look: Promise<void> | undefined;

  private constructor(options: WatchedFileOptions<T>, { value, stamp }: Read<T>) {
    this.#options = options;
    this.#value = value;
    this.#stamp = stamp;
    this.#looked = options.now();
  }

  /** @throws AccessRulesError when it cannot be read, or not be understood */
  static async open<T>(options: WatchedFileOptions<T>): Promise<WatchedFile<T>> {
    const first = await read(options, undefined);
    return new WatchedFile(options, first as Read<T>);
  }

  /** What it says now, or said a moment ago. */
  async current(): Promise<T> {
    if (this.#look === undefined && this.#options.now() - this.#looked >= this.#options.reloadMs)
      this.#look = this.#reload();
    await this.#look;
    return this.#value;
  }

  async #reload(): Promise<void> {
    try {
      const found = await read(this.#options, this.#stamp);
      if (found === undefined) return;
      this.#stamp = found.stamp;
      if (found.fault === undefined) this.#value = found.value;
      else this.#options.onError(found.fault);
    } catch (error) {
      if (this.#stamp !== "") this.#options.onError(error as Error);
      this.#stamp = "";
    } finally {
      this.#looked = this.#options.now();
      this.#look = undefined;
    }
  }
}

interface Read<T> {
  readonly stamp: string;
  readonly value: T;
  readonly fault?: Error;
}

/** @returns `undefined` when it is as it was */
async function read<T>(
  { path, parse, maxBytes }: WatchedFileOptions<T>,
  known: string | undefined,
): Promise<Read<T> | undefined> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, "it cannot be opened", cause);
  });
  try {
    const { mtimeMs, ctimeMs, size, ino } = await file.stat();
    const stamp = [mtimeMs, ctimeMs, size, ino].join(" ");
    if (stamp === known) return undefined;
    if (size > maxBytes) throw unreadable(path, `it exceeds ${maxBytes} bytes`);
    const text = await file.readFile("utf8");
    try {
      return { stamp, value: parse(text) };
    } catch (error) {
      if (!(error instanceof AccessRulesError)) throw error;
      const { code, line, column } = error;
      const fault = new AccessRulesError(code, `${path}:${error.message}`, { cause: error });
      if (known === undefined) throw Object.assign(fault, { line, column });
      return { stamp, value: undefined as T, fault };
    }
  } finally {
    await file.close();
  }
}

function unreadable(path: string, why: string, cause?: unknown): AccessRulesError {
  return new AccessRulesError("access-rules/unreadable", `'${path}': ${why}`, { cause });
}
