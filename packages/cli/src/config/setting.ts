import {
  array,
  boolean,
  type GenericSchema,
  integer,
  literal,
  maxValue,
  minLength,
  minValue,
  nonEmpty,
  number,
  picklist,
  pipe,
  regex,
  string,
  union,
} from "valibot";

/** One thing that can be set, wherever it is set. */
export interface Setting<T> {
  readonly schema: GenericSchema<unknown, T>;
  /** What it takes, for messages: `a port from 0 to 65535, or "off"`. */
  readonly expected: string;
  /** What holds when nobody sets it. */
  readonly fallback?: T | undefined;
  /** A path: what is not absolute counts from where it is set, a file's directory or the working directory. */
  readonly isPath?: boolean;
  /** Nobody is shown its value. */
  readonly isSecret?: boolean;
}

/** `setting`, with what holds when nobody sets it. */
export function orElse<T>(setting: Setting<T>, fallback: T): Setting<T> {
  return { ...setting, fallback };
}

/** A port, or `off`. */
export const PORT: Setting<number | "off"> = {
  schema: union([literal("off"), pipe(number(), integer(), minValue(0), maxValue(65535))]),
  expected: 'a port from 0 to 65535, or "off"',
};

/** The path of a file or directory. */
export const PATH: Setting<string> = {
  schema: pipe(string(), nonEmpty()),
  expected: "a path",
  isPath: true,
};

/** Paths of directories. */
export const PATHS: Setting<readonly string[]> = {
  schema: array(pipe(string(), nonEmpty())),
  expected: "a list of paths",
  isPath: true,
  fallback: [],
};

/** Where to listen. */
export const ADDRESS: Setting<string> = {
  schema: pipe(string(), nonEmpty()),
  expected: "an address to listen on",
};

/** A text that nobody is shown. */
export const TOKEN: Setting<string> = {
  schema: pipe(string(), minLength(16)),
  expected: "a text of 16 characters or more",
  isSecret: true,
};

/** Origins of web pages, as browsers write them. */
export const ORIGINS: Setting<readonly string[]> = {
  schema: array(pipe(string(), regex(/^(?:\*|https?:\/\/[^/\s]+)$/))),
  expected: 'a list of origins like "https://example.com", or "*"',
  fallback: [],
};

/** Yes or no. */
export const YES_NO: Setting<boolean> = { schema: boolean(), expected: "true or false" };

/** One of some words, the first when nobody sets it. */
export function choice<const W extends string>(first: W, ...others: readonly W[]): Setting<W> {
  const words = [first, ...others];
  return { schema: picklist(words), expected: `one of ${words.join(", ")}`, fallback: first };
}

/** Some of some words, none when nobody sets it. */
export function someOf<const W extends string>(...words: readonly W[]): Setting<readonly W[]> {
  return { schema: array(picklist(words)), expected: `a list of ${words.join(", ")}`, fallback: [] };
}

/** What timers take at most; about 25 days. Unit: milliseconds. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** A whole number, or `none` where there shall be no limit. */
export const LIMIT: Setting<number | "none"> = {
  schema: union([pipe(number(), integer(), minValue(0)), literal("none")]),
  expected: 'a whole number, or "none"',
};

/** The same where a part of one is something, too. */
export const RATE_LIMIT: Setting<number | "none"> = {
  schema: union([pipe(number(), minValue(0)), literal("none")]),
  expected: 'a number, or "none"',
};

/** The same for a time. Unit: milliseconds. */
export const TIME_LIMIT: Setting<number | "none"> = {
  schema: union([pipe(number(), integer(), minValue(0), maxValue(MAX_TIMER_MS)), literal("none")]),
  expected: `a whole number of milliseconds up to ${MAX_TIMER_MS}, or "none"`,
};
