import { AccessRulesError } from "./errors.ts";
import { namesOf, parsePattern, type RepositoryPattern } from "./repository-pattern.ts";
import { EVERYBODY, isUserName, LOGGED_IN } from "./user-name.ts";

/** What somebody may do with a repository. */
export type Rights = "none" | "read" | "write";

/** Who may do what. */
export interface AccessRules {
  /**
   * @param repository as a client wrote it
   * @param user `undefined` for whoever has not said
   */
  rightsOf(repository: string, user: string | undefined): Rights;
}

interface Section {
  readonly patterns: RepositoryPattern[];
  readonly read: Set<string>;
  readonly write: Set<string>;
}

/** What holds where no file says otherwise: everybody may read, and nobody may write. */
const DEFAULT = `repo **\n  read ${EVERYBODY}\n`;

/*
 *   group team = ada bob
 *
 *   repo **                 the last section that fits a repository is the one that counts for it
 *     read anyone
 *   repo team/** website
 *     read users
 *     write @team ci        may read as well
 */

/**
 * Reads an access file. The default, that everybody may read and nobody may write, stands before its first line.
 * @throws AccessRulesError `access-rules/bad-access` with the line and column
 */
export function parseAccess(text: string): AccessRules {
  const groups = new Map<string, ReadonlySet<string>>();
  const sections: Section[] = [];
  for (const [index, raw] of `${DEFAULT}${text}`.split("\n").entries()) {
    const words = [...raw.replace(/(?:^|\s)#.*/, "").matchAll(/\S+/g)].map((match) => ({
      text: match[0],
      bad: (message: string) =>
        new AccessRulesError("access-rules/bad-access", message, {
          // The default has two lines.
          line: index - 1,
          column: match.index + 1,
        }),
    }));
    const [verb, ...rest] = words;
    if (verb === undefined) continue;
    if (verb.text === "group") addGroup(groups, verb, rest);
    else if (verb.text === "repo") sections.push(sectionOf(verb, rest));
    else if (verb.text === "read" || verb.text === "write") {
      const section = sections.at(-1);
      if (section === undefined || (sections.length === 1 && index > 1))
        throw verb.bad(`'${verb.text}' stands below a line 'repo PATTERN'`);
      if (rest.length === 0) throw verb.bad(`'${verb.text}' needs somebody: a user, @GROUP, users or anyone`);
      for (const word of rest) for (const who of membersOf(groups, word)) section[verb.text].add(who);
    } else throw verb.bad("a line starts with group, repo, read or write");
  }
  return { rightsOf: (repository, user) => rightsOf(sections, repository, user) };
}

interface Word {
  readonly text: string;
  readonly bad: (message: string) => AccessRulesError;
}

function addGroup(
  groups: Map<string, ReadonlySet<string>>,
  verb: Word,
  [name, equals, ...rest]: Word[],
): void {
  if (name === undefined || equals?.text !== "=")
    throw (name ?? verb).bad("a group is 'group NAME = USER...'");
  if (!isUserName(name.text)) throw name.bad("this cannot be the name of a group");
  if (groups.has(name.text)) throw name.bad("there is a group of this name already");
  const members = rest.flatMap((word) => [...membersOf(groups, word)]);
  const all = rest.find(({ text }) => text === EVERYBODY || text === LOGGED_IN);
  if (all !== undefined) throw all.bad("a group is made of users and other groups");
  groups.set(name.text, new Set(members));
}

function sectionOf(verb: Word, rest: readonly Word[]): Section {
  if (rest.length === 0) throw verb.bad("'repo' needs a pattern, such as team/* or **");
  const patterns = rest.map((word) => {
    const pattern = parsePattern(word.text);
    if (pattern === undefined)
      throw word.bad("this is no pattern: names with / between them, * in them, or **");
    return pattern;
  });
  return { patterns, read: new Set(), write: new Set() };
}

function membersOf(groups: ReadonlyMap<string, ReadonlySet<string>>, word: Word): Iterable<string> {
  const { text } = word;
  if (text === EVERYBODY || text === LOGGED_IN) return [text];
  if (text.startsWith("@")) {
    const members = groups.get(text.slice(1));
    if (members === undefined) throw word.bad("there is no such group above");
    return members;
  }
  if (!isUserName(text)) throw word.bad("this cannot be the name of a user");
  return [text];
}

const ORDER: readonly Rights[] = ["none", "read", "write"];

/** Of a repository within others, what all of them allow. */
function rightsOf(sections: readonly Section[], repository: string, user: string | undefined): Rights {
  const names = namesOf(repository);
  if (names === undefined) return "none";
  const least = Math.min(...names.map((name) => ORDER.indexOf(rightsTo(sections, name, user))));
  return ORDER[least] ?? "none";
}

function rightsTo(sections: readonly Section[], name: string, user: string | undefined): Rights {
  const section = sections.findLast(({ patterns }) => patterns.some((pattern) => pattern.matches(name)));
  if (section === undefined) return "none";
  const { read, write } = section;
  const may = (set: ReadonlySet<string>) =>
    set.has(EVERYBODY) || (user !== undefined && (set.has(LOGGED_IN) || set.has(user)));
  if (may(write)) return "write";
  return may(read) ? "read" : "none";
}
