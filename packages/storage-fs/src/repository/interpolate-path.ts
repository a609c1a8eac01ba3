/** What git-daemon's patterns of paths stand for. */
export interface Interpolations {
  /** `%H`, as {@link sanitizeHost} leaves it. */
  readonly host: string;
  /** `%CH` and `%IP`; empty where nothing is known. Asked for only when needed. */
  readonly lookUp: () => Promise<{ readonly canonicalHost: string; readonly address: string }>;
  /** `%P`. */
  readonly port: string;
  /** `%D`: what the client asked for. */
  readonly directory: string;
}

/** Fills in `%H`, `%CH`, `%IP`, `%P`, `%D` and `%%`. Spec: git-daemon, `--interpolated-path`. */
export async function interpolatePath(pattern: string, values: Interpolations): Promise<string> {
  let path = "";
  let last = 0;
  for (const { 0: found, index } of pattern.matchAll(/%(?:%|H|CH|IP|P|D)/g)) {
    path += pattern.slice(last, index) + (await fill(found, values));
    last = index + found.length;
  }
  return path + pattern.slice(last);
}

async function fill(name: string, { host, lookUp, port, directory }: Interpolations): Promise<string> {
  switch (name) {
    case "%H":
      return host;
    case "%CH":
      return sanitizeHost((await lookUp()).canonicalHost);
    case "%IP":
      return (await lookUp()).address;
    case "%P":
      return port;
    case "%D":
      return directory;
    default:
      return "%";
  }
}

/** The directory of a pattern that all its paths lie in. */
export function fixedPartOf(pattern: string): string {
  const [fixed = ""] = pattern.split("%", 1);
  return fixed.slice(0, fixed.lastIndexOf("/")) || "/";
}

/**
 * A host as a part of a path: in lower case, without brackets and separators, and without dots at its ends or next to
 * each other, so that it leads nowhere.
 */
export function sanitizeHost(host: string): string {
  return host
    .replace(/^\[(.*)\]$/s, "$1")
    .replace(/[/\\\0]/g, "")
    .replace(/\.+/g, ".")
    .replace(/^\.|\.$/g, "")
    .toLowerCase();
}
