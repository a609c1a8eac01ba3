/** Longest name that is looked up, and longest part between slashes. Unit: bytes. */
const MAX_NAME_BYTES = 1024;
const MAX_SEGMENT_BYTES = 255;

/**
 * The parts of a repository's name as a client wrote it, decoded once; one slash at either end is dropped.
 * @returns `undefined` for what could lead elsewhere: an empty part, `.`, `..`, a leading `~`, a backslash, a control
 * byte, or more than 1024 bytes
 */
export function splitRepositoryName(name: string): string[] | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (Buffer.byteLength(name) > MAX_NAME_BYTES || /[\x00-\x1f\x7f\\]/.test(name)) return undefined;
  const segments = name.replace(/^\/|\/$/g, "").split("/");
  if (segments[0]?.startsWith("~")) return undefined;
  const sound = segments.every(
    (segment) =>
      segment !== "" &&
      segment !== "." &&
      segment !== ".." &&
      Buffer.byteLength(segment) <= MAX_SEGMENT_BYTES,
  );
  return sound ? segments : undefined;
}

/**
 * Where a push may make a repository that is not there: parts of letters, digits, `.`, `_` and `-` that start with
 * neither `-` nor `.`; the last one gets `.git` when it lacks it.
 * @returns the parts, or `undefined` when the name is not fit
 */
export function splitNewRepositoryName(name: string): string[] | undefined {
  const segments = splitRepositoryName(name);
  if (segments === undefined) return undefined;
  const fit = segments.every(
    (segment) =>
      /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(segment) &&
      !segment.endsWith(".") &&
      !/\.lock$|\.git\.git$/i.test(segment) &&
      segment.length <= MAX_SEGMENT_BYTES - ".git".length,
  );
  // A directory `x.git` holds a repository, not others.
  if (!fit || segments.slice(0, -1).some((segment) => /\.git$/i.test(segment))) return undefined;
  const last = segments.at(-1) as string;
  return [...segments.slice(0, -1), /\.git$/i.test(last) ? last : `${last}.git`];
}
