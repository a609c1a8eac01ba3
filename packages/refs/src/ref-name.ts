/*
 * Names are byte-exact: one character for each byte, so comparing strings compares bytes.
 * A name is a run of components joined by "/", for example refs/heads/main.
 */

const FORBIDDEN: Uint8Array = new Uint8Array(256);
for (let code = 0; code <= 0x20; code++) FORBIDDEN[code] = 1;
for (const character of "\x7f~^:?*[\\") FORBIDDEN[character.charCodeAt(0)] = 1;

const SLASH = 0x2f;
const DOT = 0x2e;
const AT = 0x40;
const BRACE = 0x7b;

/**
 * Whether `name` keeps to git's rules: no component is empty, starts with `.` or ends in `.lock`; no `..`, `@{`,
 * control byte, space or any of `~^:?*[\`; it neither ends in `.` nor is `@`. At least two components, unless
 * `oneLevel` is given. Spec: git-check-ref-format, "DESCRIPTION".
 */
export function isValidRefName(name: string, options: { readonly oneLevel?: boolean } = {}): boolean {
  let componentAt = 0;
  let components = 1;
  let previous = SLASH;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code > 0xff || FORBIDDEN[code] === 1) return false;
    if (code === SLASH) {
      if (previous === SLASH || endsInLock(name, componentAt, i)) return false;
      componentAt = i + 1;
      components++;
    } else if (code === DOT) {
      if (previous === DOT || previous === SLASH) return false;
    } else if (code === BRACE && previous === AT) {
      return false;
    }
    previous = code;
  }
  if (previous === SLASH || previous === DOT || endsInLock(name, componentAt, name.length)) return false;
  return components > 1 || (options.oneLevel === true && name !== "@");
}

function endsInLock(name: string, start: number, end: number): boolean {
  return end - start >= 5 && name.charCodeAt(end - 1) === 0x6b && name.startsWith(".lock", end - 5);
}

/**
 * Whether `name` has the form of a ref that lies beside `refs/`, as `HEAD` and `FETCH_HEAD` do: capitals, `_` and `-`.
 * Spec: gitglossary, "pseudoref".
 */
export function isRootRefName(name: string): boolean {
  return /^[A-Z][A-Z_-]*$/.test(name);
}

/**
 * Whether a symbolic ref may name `name`: a valid name below `refs/` or in a work tree (see `refPlace`), or `HEAD`.
 * Anything else counts as broken.
 */
export function isSymbolicTarget(name: string): boolean {
  return name === "HEAD" || (/^(?:refs|main-worktree|worktrees)\//.test(name) && isValidRefName(name));
}

/** The names that cannot exist beside `name`, as a file cannot be a directory too: `refs/a` for `refs/a/b`. */
export function parentRefNames(name: string): string[] {
  const parents: string[] = [];
  for (let i = name.indexOf("/"); i >= 0; i = name.indexOf("/", i + 1)) parents.push(name.slice(0, i));
  return parents;
}

/**
 * Whether `name`, valid or not, is harmless as a path: it neither leaves `refs/` nor stands beside it as anything but
 * capitals. Git passes over bad names that are safe and gives up at those that are not.
 */
export function isSafeRefName(name: string): boolean {
  if (!name.startsWith("refs/")) return /^[A-Z_]+$/.test(name);
  const parts = name.split("/");
  return parts.length > 1 && parts.every((part) => part !== "" && part !== "." && part !== "..");
}
