import { fileURLToPath } from "node:url";

/** A way to reach the server. */
export type Transport = "http" | "git" | "ssh";

/** One implementation of git's client side, as programs that are run. */
export interface Client {
  readonly name: string;
  readonly transports: readonly Transport[];
  readonly formats: readonly ("sha1" | "sha256")[];
  /** What it needs of the machine: answers with status 0 where that is there. */
  readonly probe: readonly string[];
  readonly clone: (url: string, directory: string) => readonly string[];
  readonly fetch: (directory: string) => readonly string[];
  readonly push: (directory: string, ref: string) => readonly string[];
}

/** What JGit is made of, where Debian puts it. */
const JARS = ["org.eclipse.jgit", "slf4j-api", "slf4j-nop", "jsch", "javaewah"];

function scripted(interpreter: readonly string[], file: string): Pick<Client, "clone" | "fetch" | "push"> {
  const script = fileURLToPath(new URL(`../clients/${file}`, import.meta.url));
  return {
    clone: (url, directory) => [...interpreter, script, "clone", url, directory],
    fetch: (directory) => [...interpreter, script, "fetch", directory],
    push: (directory, ref) => [...interpreter, script, "push", directory, ref],
  };
}

function gitSpeaking(version: 0 | 1 | 2): Client {
  const git = ["git", "-c", `protocol.version=${version}`];
  return {
    name: `git, protocol ${version}`,
    transports: ["http", "git", "ssh"],
    formats: ["sha1", "sha256"],
    probe: ["git", "--version"],
    clone: (url, directory) => [...git, "clone", "-q", url, directory],
    fetch: (directory) => [...git, "-C", directory, "fetch", "-q", "origin"],
    push: (directory, ref) => [...git, "-C", directory, "push", "-q", "origin", ref],
  };
}

export const CLIENTS: readonly Client[] = [
  gitSpeaking(0),
  gitSpeaking(1),
  gitSpeaking(2),
  {
    name: "libgit2",
    transports: ["http", "git", "ssh"],
    formats: ["sha1"],
    probe: ["/usr/bin/python3", "-c", "import pygit2"],
    ...scripted(["/usr/bin/python3"], "with-pygit2.py"),
  },
  {
    name: "dulwich",
    transports: ["http", "git", "ssh"],
    formats: ["sha1"],
    probe: ["/usr/bin/python3", "-c", "import dulwich"],
    ...scripted(["/usr/bin/python3"], "with-dulwich.py"),
  },
  {
    name: "JGit",
    transports: ["http", "git", "ssh"],
    formats: ["sha1"],
    probe: ["java", "--list-modules"],
    ...scripted(
      ["java", "-cp", JARS.map((name) => `/usr/share/java/${name}.jar`).join(":")],
      "WithJgit.java",
    ),
  },
  {
    name: "isomorphic-git",
    transports: ["http"],
    formats: ["sha1"],
    probe: ["node", "--version"],
    ...scripted([process.execPath], "with-isomorphic-git.mjs"),
  },
];
