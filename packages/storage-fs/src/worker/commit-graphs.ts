import { existsSync, readFileSync, statSync } from "node:fs";
import { hexIdLength, objectIdToBytes, parseObjectId } from "@x/objects";
import { createNodeHasher } from "@x/objects/node";
import { CommitGraph, PackError } from "@x/pack";
import { systemCode } from "../errors.ts";
import type { StoreLocation } from "../pool/worker-protocol.ts";

/** No more is read of the files of one commit-graph together: some five million commits. Unit: bytes. */
const MAX_COMMIT_GRAPH_BYTES = 512 * 1024 * 1024;

/** Files of a chain; C git merges them long before. */
const MAX_CHAIN_FILES = 64;

/** The paths of the files of a commit-graph, the lowest first, and their names in a chain. */
interface Found {
  readonly paths: readonly string[];
  readonly names: readonly Uint8Array[];
}

/**
 * The commit-graph of a repository, as it lies there now, kept until its files change. One that is broken is passed over
 * with a warning: then commits are read. Spec: git-commit-graph; gitformat-commit-graph, "split commit-graph".
 */
export class CommitGraphs {
  readonly #location: StoreLocation;
  readonly #warn: (message: string) => void;
  #stamp = "";
  #graph: CommitGraph | undefined;
  #toldOf: string | undefined;

  constructor(location: StoreLocation, warn: (message: string) => void) {
    this.#location = location;
    this.#warn = warn;
  }

  /** @param directories the repository's object directory and its alternates: the first one that has a graph counts */
  open(directories: readonly string[]): CommitGraph | undefined {
    if (this.#isGrafted()) return undefined;
    try {
      const found = this.#find(directories);
      if (found === undefined) return undefined;
      const stats = found.paths.map((path) => statSync(path, { bigint: true }));
      const stamp = stats.map(({ ino, size, mtimeNs }) => `${ino}:${size}:${mtimeNs}`).join(" ");
      if (stamp !== this.#stamp) {
        this.#graph = undefined;
        this.#stamp = stamp; // before it is read: a broken one is not read again
        const bytes = stats.reduce((sum, { size }) => sum + Number(size), 0);
        if (bytes > MAX_COMMIT_GRAPH_BYTES)
          throw new PackError(
            "pack/limit-exceeded",
            `the commit-graph takes more than ${MAX_COMMIT_GRAPH_BYTES} bytes`,
          );
        const { format } = this.#location;
        const files = found.paths.map((path) => readFileSync(path));
        this.#graph = CommitGraph.open(files, found.names, format, createNodeHasher);
      }
      return this.#graph;
    } catch (error) {
      // Replaced meanwhile: the next one who asks finds the new one.
      if (systemCode(error) === "ENOENT") return undefined;
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#toldOf)
        this.#warn(`ignoring the commit-graph of ${this.#location.objectsDirectory}: ${reason}`);
      this.#toldOf = reason;
      return undefined;
    }
  }

  /** Commits may have other parents here than they say, or none. */
  #isGrafted(): boolean {
    const { shallowFile, objectsDirectory } = this.#location;
    const shallow = statSync(shallowFile, { throwIfNoEntry: false });
    return (shallow !== undefined && shallow.size > 0) || existsSync(`${objectsDirectory}/../info/grafts`);
  }

  #find(directories: readonly string[]): Found | undefined {
    for (const directory of directories) {
      const single = `${directory}/info/commit-graph`;
      if (existsSync(single)) return { paths: [single], names: [] };
      const chain = `${directory}/info/commit-graphs/commit-graph-chain`;
      if (existsSync(chain)) return this.#readChain(chain, directories);
    }
    return undefined;
  }

  #readChain(chain: string, directories: readonly string[]): Found {
    const { format } = this.#location;
    const lines = MAX_CHAIN_FILES * (hexIdLength(format) + 1);
    if (statSync(chain).size > lines)
      throw new PackError("pack/limit-exceeded", `its chain has more than ${MAX_CHAIN_FILES} files`);
    const ids = readFileSync(chain, "latin1")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => parseObjectId(line, format));
    const paths: string[] = [];
    const names: Uint8Array[] = [];
    for (const id of ids) {
      if (id === undefined) throw new PackError("pack/bad-index", "its chain names no files");
      // The lower ones may be those of an alternate.
      const places = directories.map((directory) => `${directory}/info/commit-graphs/graph-${id}.graph`);
      const path = places.find((place) => existsSync(place));
      if (path === undefined) throw new PackError("pack/bad-index", `its file graph-${id}.graph is missing`);
      paths.push(path);
      names.push(objectIdToBytes(id));
    }
    return { paths, names };
  }
}
