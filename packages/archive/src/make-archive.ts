import {
  type ArchiveEvent,
  type ArchiveRef,
  type ArchiveRequest,
  type AttributeState,
  lineEndingsOf,
  toFile,
} from "@x/objects";
import { CommitFormat } from "./commit-text/commit-format.ts";
import { ArchiveError } from "./errors.ts";
import { type AskRefs, expandFormats, type RefsMemory } from "./export-subst.ts";
import { createPakoGzip, GzipSink, gzipped } from "./gzip.ts";
import { expandIdent } from "./ident.ts";
import { Output } from "./output.ts";
import { PathMatch } from "./path-match.ts";
import { parsePathspecs } from "./pathspec.ts";
import { requireMatches } from "./require-matches.ts";
import type { ArchiveEntry, Archiver, Content } from "./sink.ts";
import type { ArchiveSource, ArchiveTools } from "./source.ts";
import { TarArchiver } from "./tar.ts";
import { TreeWalk, type WalkedEntry } from "./tree-walk.ts";
import { ZipArchiver } from "./zip.ts";

/** Larger contents are not read at once where the source can give them piece by piece. Unit: bytes. */
const STREAMED_BYTES = 1024 * 1024;

/** What comes out of {@link makeArchive}; `undefined` is a chance to give way. The refs are handed back by `next`. */
export type ArchiveStep = ArchiveEvent | AskRefs | undefined;

type Steps<T = void> = Generator<ArchiveStep, T, readonly ArchiveRef[] | undefined>;

/**
 * Makes an archive, byte for byte as `git archive` does of the same tree with the same zlib, unless
 * {@link ArchiveTools.createGzip} says otherwise; the times in a zip file are local ones there too. Memory: that of the largest file that has to be converted, and for zip that of the directory at
 * its end.
 * @throws ArchiveError; whatever the source throws. Spec: git-archive; gitattributes, "Creating an archive"
 */
export function makeArchive(
  source: ArchiveSource,
  request: ArchiveRequest,
  tools: ArchiveTools,
): Generator<ArchiveStep, void, readonly ArchiveRef[] | undefined> {
  return new ArchiveMaker(source, request, tools).run();
}

class ArchiveMaker {
  readonly #source: ArchiveSource;
  readonly #request: ArchiveRequest;
  readonly #tools: ArchiveTools;
  readonly #output: Output;
  readonly #walk: TreeWalk;
  readonly #archiver: Archiver;
  readonly #memory: RefsMemory = { refs: undefined };
  #commitFormat: CommitFormat | undefined;
  #entries = 0;

  constructor(source: ArchiveSource, request: ArchiveRequest, tools: ArchiveTools) {
    this.#source = source;
    this.#request = request;
    this.#tools = tools;
    const { settings, limits } = request;
    const maxArchiveEntries = limits?.maxArchiveEntries ?? Number.POSITIVE_INFINITY;
    this.#output = new Output(limits?.maxArchiveBytes ?? Number.POSITIVE_INFINITY);
    const { ignoreCase } = settings;
    const withTree = request.ignoreTreeAttributes !== true;
    this.#walk = new TreeWalk(source, { ignoreCase, withTree }, () => {
      if (++this.#entries > maxArchiveEntries)
        throw new ArchiveError(
          "archive/limit-exceeded",
          `the archive exceeds maxArchiveEntries (${maxArchiveEntries})`,
        );
    });
    this.#archiver = this.#createArchiver();
  }

  #createArchiver(): Archiver {
    const { format, level } = this.#request;
    if (format === "zip")
      return new ZipArchiver(this.#request, this.#output, (entry) => this.#isBinary(entry));
    const wanted = this.#request.settings.umask;
    const umask = wanted === "user" ? (this.#tools.umask ?? 0o022) : wanted;
    if (format === "tar") return new TarArchiver(this.#request, umask, this.#output);
    const gzip = new GzipSink((this.#tools.createGzip ?? createPakoGzip)(level), this.#output);
    return gzipped(new TarArchiver(this.#request, umask, gzip), gzip);
  }

  *run(): Steps {
    const { tree, prefix, paths } = this.#request;
    const match = new PathMatch(parsePathspecs(paths), (path) => this.#walk.attributes.of(path));
    yield* requireMatches(this.#walk, tree, paths);
    this.#archiver.start();
    if (prefix.endsWith("/"))
      yield* this.#add({
        path: prefix.replace(/\/+$/, "/"),
        pathInTree: "",
        mode: 0o040000,
        id: tree,
      });
    const pending: WalkedEntry[] = [];
    for (const entry of this.#walk.each(
      tree,
      ({ base, name, mode }) => match.fits(base, name, mode),
      ({ base, name }) => this.#walk.attributes.of(`${base}${name}/`).get("export-ignore") !== true,
    )) {
      if (entry === undefined) {
        yield undefined;
        continue;
      }
      // Directories are written once there is something to be written in them.
      for (let last = pending.at(-1); last !== undefined; last = pending.at(-1)) {
        if (entry.base.startsWith(`${last.base}${last.name}/`)) break;
        pending.pop();
      }
      if (entry.mode === 0o040000) {
        pending.push(entry);
        yield undefined;
        continue;
      }
      for (const directory of pending.splice(0)) yield* this.#addEntry(directory, undefined);
      yield* this.#addFile(entry);
    }
    yield* this.#drain(this.#archiver.end());
    yield* this.#output.end();
  }

  *#addFile(entry: WalkedEntry): Steps {
    const isGitlink = entry.mode === 0o160000;
    const path = `${entry.base}${entry.name}${isGitlink ? "/" : ""}`;
    const attributes = this.#walk.attributes.of(path);
    if (attributes.get("export-ignore") === true) return;
    if (this.#request.verbose === true) this.#output.say(`${this.#request.prefix}${path}\n`);
    if (isGitlink) {
      yield* this.#addEntry(entry, undefined, true);
      return;
    }
    const { content, isBig } = yield* this.#content(entry, attributes);
    yield* this.#addEntry(entry, content, true, isBig);
  }

  *#addEntry(entry: WalkedEntry, content: Content | undefined, told = false, isBig = false): Steps {
    const pathInTree = `${entry.base}${entry.name}${content === undefined ? "/" : ""}`;
    const path = this.#request.prefix + pathInTree;
    if (!told && this.#request.verbose === true) this.#output.say(`${path}\n`);
    yield* this.#drain(
      this.#archiver.add({ path, pathInTree, mode: entry.mode, id: entry.id, content, isBig }),
    );
  }

  *#add(entry: ArchiveEntry): Steps {
    if (this.#request.verbose === true) this.#output.say(`${entry.path}\n`);
    yield* this.#drain(this.#archiver.add(entry));
  }

  *#drain(steps: Generator<void, void>): Steps {
    for (const _ of steps) {
      yield* this.#output.take();
      yield undefined;
    }
    yield* this.#output.take();
    yield undefined;
  }

  *#content(
    entry: WalkedEntry,
    attributes: ReadonlyMap<string, AttributeState>,
  ): Steps<{ readonly content: Content; readonly isBig: boolean }> {
    const { settings, commit } = this.#request;
    const { id } = entry;
    const isRegular = entry.mode !== 0o120000;
    const isSubst = isRegular && attributes.get("export-subst") === true;
    const header = this.#source.header(id);
    if (header?.type !== "blob")
      throw new ArchiveError("archive/missing-object", `cannot read '${id}'`, { id });
    const isBig = isRegular && !isSubst && header.size > settings.bigFileThreshold;
    const endings = lineEndingsOf(attributes, settings.lineEndings);
    const isConverted =
      isRegular && !isBig && (isSubst || attributes.get("ident") === true || endings.file === "crlf");
    if (!isConverted && isRegular && header.size > STREAMED_BYTES && this.#source.stream !== undefined) {
      const open = () => (this.#source.stream as (one: typeof id) => Iterable<Uint8Array>)(id);
      return { content: { kind: "stream", size: header.size, open }, isBig };
    }
    const object = this.#source.read(id);
    if (object?.type !== "blob")
      throw new ArchiveError("archive/missing-object", `cannot read '${id}'`, { id });
    let bytes = object.data;
    if (isConverted) {
      bytes = bytes.slice(); // more will be read
      if (attributes.get("ident") === true)
        bytes = expandIdent(bytes, this.#source.format, this.#tools.createHasher);
      bytes = toFile(bytes, endings);
      if (isSubst && commit !== undefined)
        bytes = yield* expandFormats(bytes, this.#format(commit), this.#memory);
    }
    return { content: { kind: "bytes", bytes }, isBig };
  }

  #format(commit: ArchiveEntry["id"]): CommitFormat {
    if (this.#commitFormat !== undefined) return this.#commitFormat;
    const object = this.#source.read(commit);
    if (object?.type !== "commit")
      throw new ArchiveError("archive/missing-object", `cannot read '${commit}'`, { id: commit });
    this.#commitFormat = new CommitFormat({
      source: this.#source,
      id: commit,
      data: object.data.slice(),
      abbrev: this.#request.settings.abbrev,
      now: Math.floor((this.#tools.now ?? Date.now)() / 1000),
    });
    return this.#commitFormat;
  }

  #isBinary(entry: ArchiveEntry): boolean | undefined {
    const { binaryDrivers } = this.#request.settings;
    const diff = this.#walk.attributes.of(entry.pathInTree).get("diff");
    if (diff === true) return false;
    if (diff === false) return true;
    return (typeof diff === "string" ? binaryDrivers.get(diff) : undefined) ?? binaryDrivers.get("default");
  }
}
