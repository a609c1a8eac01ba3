import { execFileSync } from "node:child_process";
import { gitEnvironment } from "@tooling/test-kit";
import {
  type ArchiveFormat,
  type ArchiveRef,
  type ArchiveRequest,
  createHasher,
  type ObjectFormat,
  type ObjectId,
} from "@x/objects";
import { type ArchiveSource, makeArchive } from "../src/index.ts";
import { readSource } from "./git-source.ts";

export const SETTINGS: ArchiveRequest["settings"] = {
  umask: 0o002,
  lineEndings: { autocrlf: "false", eol: "lf" },
  bigFileThreshold: 512 * 1024 * 1024,
  ignoreCase: false,
  binaryDrivers: new Map(),
};

/** A request for which nothing is said but the tree. */
export function requestFor(tree: ObjectId, more: Partial<ArchiveRequest> = {}): ArchiveRequest {
  return { format: "tar", tree, time: 1112911993, prefix: "", paths: [], settings: SETTINGS, ...more };
}

/** What comes out of {@link makeArchive}. */
export function makeWhole(
  source: ArchiveSource,
  request: ArchiveRequest,
  refs: readonly ArchiveRef[] = [],
  now = 1_700_000_000_000,
): { readonly bytes: Buffer; readonly messages: string } {
  const pieces: Uint8Array[] = [];
  let messages = "";
  const steps = makeArchive(source, request, { createHasher, now: () => now });
  for (let step = steps.next(undefined); !step.done; ) {
    const { value } = step;
    if (value?.kind === "bytes") pieces.push(value.bytes);
    else if (value?.kind === "message") messages += value.text;
    step = steps.next(value?.kind === "refs" ? refs : undefined);
  }
  return { bytes: Buffer.concat(pieces), messages };
}

/** One repository with two ways to its archives. */
export interface Twin {
  readonly directory: string;
  readonly source: ArchiveSource;
  /** By stock git. @throws when git fails, with what it says */
  theirs(args: readonly string[], config?: readonly string[], env?: Record<string, string>): Buffer;
  /** Any command of git's. */
  plain(args: readonly string[]): Buffer;
  ours(revision: string, more?: Partial<ArchiveRequest>): Buffer;
  /** What {@link ours} says on the way. */
  told(revision: string, more?: Partial<ArchiveRequest>): string;
}

export function twinOf(
  directory: string,
  format: ObjectFormat,
  options: { readonly source?: Partial<ArchiveSource>; readonly withRefs?: boolean } = {},
): Twin {
  const source = readSource(directory, format, options.source);
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    execFileSync("git", args, {
      cwd: directory,
      env: { ...gitEnvironment(), ...env },
      maxBuffer: 1 << 30,
      stdio: ["ignore", "pipe", "pipe"],
    });
  const resolve = (name: string) => run(["rev-parse", "--verify", "-q", name]).toString().trim() as ObjectId;
  return {
    directory,
    source,
    theirs: (args, config = [], env = {}) =>
      run([...config.flatMap((one) => ["-c", one]), "archive", ...args], env),
    plain: (args) => run(args),
    ours: (revision, more) => make(revision, more).bytes,
    told: (revision, more) => make(revision, more).messages,
  };

  function listRefs(): ArchiveRef[] {
    const lines = run(["for-each-ref", "--format=%(refname) %(objectname) %(*objectname)"]).toString(
      "latin1",
    );
    const refs = lines
      .trim()
      .split("\n")
      .map((line) => {
        const [name = "", id, peeled] = line.split(" ");
        return { name, id: id as ObjectId, peeled: (peeled || undefined) as ObjectId | undefined };
      });
    return [{ name: "HEAD", id: resolve("HEAD"), symrefTarget: "refs/heads/main" }, ...refs];
  }

  function make(revision: string, more: Partial<ArchiveRequest> = {}) {
    const tree = resolve(revision.includes(":") ? revision : `${revision}^{tree}`);
    let commit: { id: ObjectId; time: number } | undefined;
    try {
      const id = resolve(`${revision}^{commit}`);
      commit = { id, time: Number(run(["show", "-s", "--format=%ct", id]).toString()) };
    } catch {
      // a tree
    }
    const known = commit === undefined ? {} : { commit: commit.id, time: commit.time };
    return makeWhole(
      source,
      requestFor(tree, { ...known, ...more }),
      options.withRefs === true ? listRefs() : [],
    );
  }
}

export const FORMATS: readonly ArchiveFormat[] = ["tar", "tar.gz", "zip"];
