/** What git takes for a boolean: `true`, `yes`, `on`, `false`, `no`, `off` in any case, an integer, or nothing (false).
 * @returns `undefined` when it is none. Spec: git-config, "Values". */
export function parseConfigBoolean(value: string): boolean | undefined {
  switch (value.toLowerCase()) {
    case "true":
    case "yes":
    case "on":
      return true;
    case "false":
    case "no":
    case "off":
    case "":
      return false;
  }
  const number = parseConfigInteger(value);
  return number === undefined ? undefined : number !== 0;
}

const SCALE: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
]);

/**
 * An integer, decimal or as C writes hexadecimal and octal, with `k`, `m` or `g` for powers of 1024.
 * @returns `undefined` when it is none, or beyond 2^53 - 1. Spec: git-config, "Values".
 */
export function parseConfigInteger(value: string): number | undefined {
  const match = /^[ \t\n\r\f\v]*([+-]?)(0x[0-9a-f]+|[0-9]+)([kmg]?)$/i.exec(value);
  if (match === null) return undefined;
  const [, sign, digits = "", unit = ""] = match;
  const octal = /^0[0-9]+$/.test(digits);
  if (octal && /[89]/.test(digits)) return undefined;
  const magnitude =
    Number(octal ? `0o${digits.slice(1)}` : digits) * (SCALE.get(unit.toLowerCase()) as number);
  if (!Number.isSafeInteger(magnitude)) return undefined;
  return sign === "-" ? 0 - magnitude : magnitude;
}
