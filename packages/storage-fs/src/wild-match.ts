/**
 * Whether `text` fits a path pattern: `*` and `?` stop at slashes, `**` between slashes does not.
 * Spec: git-config, "Conditional includes"; gitignore, "PATTERN FORMAT".
 */
export function matchesPath(
  pattern: string,
  text: string,
  options: { readonly ignoreCase: boolean },
): boolean {
  const expression = toExpression(pattern);
  return (
    expression !== undefined && new RegExp(`^${expression}$`, options.ignoreCase ? "is" : "s").test(text)
  );
}

/** @returns `undefined` for a pattern that nothing fits */
function toExpression(pattern: string): string | undefined {
  let expression = "";
  for (let at = 0; at < pattern.length; ) {
    const character = pattern.charAt(at);
    if (character === "*") {
      const stars = /^\*+/.exec(pattern.slice(at))?.[0].length ?? 1;
      const opens = at === 0 || pattern.charAt(at - 1) === "/";
      const next = pattern.charAt(at + stars);
      at += stars;
      if (stars !== 2 || !opens || (next !== "" && next !== "/")) expression += "[^/]*";
      else if (next === "/") {
        expression += "(?:.*/)?";
        at++;
      } else expression += ".*";
    } else if (character === "[") {
      const bracket = /^\[([!^]?)(\]?(?:\\.|\[:[a-z]+:\]|[^\]\\])*)\]/s.exec(pattern.slice(at));
      if (bracket === null) return undefined;
      const [whole, negated = "", members = ""] = bracket;
      const set = toSet(members);
      if (set === undefined) return undefined;
      expression += `(?!/)[${negated && "^"}${set}]`;
      at += whole.length;
    } else {
      if (character === "\\" && at + 1 === pattern.length) return undefined;
      if (character === "\\") at++;
      expression += character === "?" ? "[^/]" : escaped(pattern.charAt(at));
      at++;
    }
  }
  return expression;
}

const CLASSES: ReadonlyMap<string, string> = new Map([
  ["alnum", "A-Za-z0-9"],
  ["alpha", "A-Za-z"],
  ["blank", " \\t"],
  ["cntrl", "\\x00-\\x1f\\x7f"],
  ["digit", "0-9"],
  ["graph", "!-~"],
  ["lower", "a-z"],
  ["print", " -~"],
  ["punct", "!-/:-@\\[-`{-~"],
  ["space", "\\s"],
  ["upper", "A-Z"],
  ["xdigit", "0-9A-Fa-f"],
]);

function toSet(members: string): string | undefined {
  let set = "";
  for (const [part] of members.matchAll(/\[:[a-z]+:\]|\\.|./gs)) {
    if (part.startsWith("[:")) {
      const known = CLASSES.get(part.slice(2, -2));
      if (known === undefined) return undefined;
      set += known;
    } else if (part === "-") set += "-";
    else set += escaped(part.length > 1 ? part.slice(1) : part);
  }
  // A range that runs backwards holds nothing, and is an error to RegExp.
  return [...set.matchAll(/(\\?.)-(\\?.)/gs)].some(([, from = "", to = ""]) => from.slice(-1) > to.slice(-1))
    ? undefined
    : set;
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
}
