import type { RepositoryConfig } from "../ports.ts";

/** Which service the rules are for: each has its own beside `transfer.hideRefs`. */
export type HideSection = "uploadpack" | "receive";

/**
 * Whether a ref is hidden.
 * @param name as clients see it; `undefined` for a ref outside of the namespace
 * @param fullName as it is stored
 */
export type IsHidden = (name: string | undefined, fullName: string) => boolean;

interface Rule {
  readonly prefix: string;
  readonly hides: boolean;
  readonly matchesFullName: boolean;
}

/** What the settings hide, and a text that is the same for the same rules. */
export interface HideRules {
  readonly isHidden: IsHidden;
  readonly key: string;
}

/**
 * Reads `transfer.hideRefs` and the service's own, which count together in the order they were written. A rule is
 * the beginning of names, up to the end of a component; `!` in front of it shows again what another one hid; then
 * `^` has it look at names as they are stored, the namespace included. The last rule that fits decides.
 * Spec: git-config, `transfer.hideRefs`.
 */
export function readHideRules(config: RepositoryConfig, section: HideSection): HideRules {
  const values = hideRefsInOrder(config, section).map((value) => value.replace(/\/+$/, ""));
  const rules = values.map(parseRule).reverse();
  return { isHidden: (name, fullName) => isHidden(rules, name, fullName), key: values.join("\n") };
}

function hideRefsInOrder(config: RepositoryConfig, section: HideSection): string[] {
  const keys = ["transfer.hiderefs", `${section}.hiderefs`];
  if (config.entries === undefined) return keys.flatMap((key) => [...config.getAll(key)]);
  const values: string[] = [];
  for (const { key, value } of config.entries("")) if (keys.includes(key)) values.push(value ?? "");
  return values;
}

function parseRule(value: string): Rule {
  const hides = !value.startsWith("!");
  const rest = hides ? value : value.slice(1);
  const matchesFullName = rest.startsWith("^");
  return { prefix: matchesFullName ? rest.slice(1) : rest, hides, matchesFullName };
}

/** @param rules the last one first */
function isHidden(rules: readonly Rule[], name: string | undefined, fullName: string): boolean {
  for (const { prefix, hides, matchesFullName } of rules) {
    const subject = matchesFullName ? fullName : name;
    if (subject?.startsWith(prefix) !== true) continue;
    if (subject.length === prefix.length || subject.charCodeAt(prefix.length) === 0x2f) return hides;
  }
  return false;
}
