import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where a server can be reached. */
export interface Address {
  readonly scheme: "http" | "https" | "git" | "ssh";
  readonly host: string;
  readonly port: number;
}

/** The address as an URL without a path. An address that means every interface is reached as `localhost`. */
export function baseUrl({ scheme, host, port }: Address): string {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  const login = scheme === "ssh" ? "git@" : "";
  return `${scheme}://${login}${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** A line for a shell that clones `name`; no character in it means anything to the shell. */
export function cloneLine(address: Address, name: string): string {
  const path = name
    .split("/")
    .map((part) =>
      encodeURIComponent(part).replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16)}`),
    );
  return `git clone ${baseUrl(address)}/${path.join("/")}`;
}

const MAX_DEPTH = 3;
const MAX_LOOKED_AT = 2000;

/**
 * The first repositories below `root`, by the names that clients may use. For a greeting: it looks at a bounded
 * number of directories, follows no symlinks and opens nothing.
 */
export async function findRepositoryNames(root: string, atMost: number): Promise<readonly string[]> {
  const found: string[] = [];
  const queue: { readonly path: string; readonly depth: number }[] = [{ path: "", depth: 0 }];
  let looked = 0;
  for (const { path, depth } of queue) {
    const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (!entry.isDirectory() || entry.name.startsWith(".") || ++looked > MAX_LOOKED_AT) continue;
      const name = path === "" ? entry.name : `${path}/${entry.name}`;
      if ((await isRepository(join(root, name))) || (await isRepository(join(root, name, ".git"))))
        found.push(name);
      else if (depth + 1 < MAX_DEPTH) queue.push({ path: name, depth: depth + 1 });
      if (found.length >= atMost) return found;
    }
  }
  return found;
}

async function isRepository(directory: string): Promise<boolean> {
  const [head, objects] = await Promise.all([
    stat(join(directory, "HEAD")).catch(() => undefined),
    stat(join(directory, "objects")).catch(() => undefined),
  ]);
  return head?.isFile() === true && objects?.isDirectory() === true;
}
