import { ConformanceError } from "./errors.ts";

/** @throws ConformanceError `conformance/broken-promise` unless both read the same; bytes, sets and maps too */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [shown(actual), shown(expected)];
  if (is !== should) throw broken(`${what}: ${is}, not ${should}`);
}

/** @throws ConformanceError `conformance/broken-promise` unless `condition` holds */
export function holds(condition: boolean, what: string): asserts condition {
  if (!condition) throw broken(what);
}

/** @returns what is thrown @throws ConformanceError `conformance/broken-promise` when nothing is, or with another code */
export async function rejects(
  work: Promise<unknown> | (() => Promise<unknown>),
  what: string,
  ...codes: readonly string[]
): Promise<unknown> {
  let result: unknown;
  try {
    result = await (typeof work === "function" ? work() : work);
  } catch (error) {
    const code = (error as { readonly code?: unknown } | undefined)?.code;
    if (codes.length > 0 && !codes.includes(code as string))
      throw broken(`${what}: throws ${String(code)} (${String(error)}), not ${codes.join(" or ")}`, error);
    return error;
  }
  throw broken(`${what}: throws nothing, and gives ${shown(result)}`);
}

/** @throws ConformanceError `conformance/broken-promise` for what takes longer than `ms` */
export async function within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(broken(`${what}: takes longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function broken(message: string, cause?: unknown): ConformanceError {
  return new ConformanceError("conformance/broken-promise", message, { cause });
}

function shown(value: unknown): string {
  return JSON.stringify(value, plain) ?? "undefined";
}

function plain(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${value.length} ${checksum(value)}`;
  if (value instanceof Set) return [...value].sort();
  if (value instanceof Map) return [...value].sort();
  if (value === undefined) return "(undefined)";
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return sum;
}
