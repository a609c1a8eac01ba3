import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import {
  type ObjectFilter,
  type ObjectStore,
  ObjectsError,
  type PackEvent,
  type PackRequest,
} from "@x/objects";

/** The operator's own packer. Spec: git-config, `uploadpack.packObjectsHook`. */
export interface PackObjectsHook {
  /** A command; it is the shell's to read if it has anything in it that means something to one. */
  readonly hook: string;
  /** Where it is run. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A store whose packs the hook makes; everything else is asked of `objects`. */
export function withPackObjectsHook(objects: ObjectStore, hook: PackObjectsHook): ObjectStore {
  return {
    ...objects,
    createPack: (request, options) => runHook(hook, objects, request, options?.signal),
  };
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

async function* runHook(
  hook: PackObjectsHook,
  objects: ObjectStore,
  request: PackRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<PackEvent, void> {
  signal?.throwIfAborted();
  const shallow = [...new Set([...(request.shallow ?? []), ...(await objects.shallow())])];
  const child = start(hook, packObjectsArguments(request, shallow.length > 0));
  const ended = once(child, "close");
  ended.catch(() => {}); // seen below, unless the client leaves first
  const stop = () => void child.kill();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    // It may end without having read what it is told.
    child.stdin.on("error", () => {});
    child.stdin.end(revisions(request, shallow));
    if (request.elsewhere !== undefined) yield { kind: "elsewhere", ids: [] };
    let head = Buffer.alloc(0);
    let bytes = 0;
    for await (const event of eventsOf(child)) {
      if (event.kind === "bytes") {
        bytes += event.bytes.length;
        if (head.length < 12) head = Buffer.concat([head, event.bytes]).subarray(0, 12);
      }
      yield event;
    }
    signal?.throwIfAborted();
    const [status] = await ended;
    if (status !== 0) throw died();
    const count = head.length === 12 && head.toString("latin1", 0, 4) === "PACK" ? head.readUInt32BE(8) : 0;
    yield { kind: "summary", summary: { objects: count, bytes, reused: 0, deltas: 0 } };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ObjectsError) throw error;
    throw died(error);
  } finally {
    signal?.removeEventListener("abort", stop);
    if (child.exitCode === null) child.kill();
  }
}

function died(cause?: unknown): ObjectsError {
  return new ObjectsError("objects/unavailable", "uploadpack.packObjectsHook failed", { cause });
}

function start({ hook, directory, env }: PackObjectsHook, argv: readonly string[]): Child {
  const options = {
    cwd: directory,
    env: { ...env, GIT_DIR: ".", GIT_NO_LAZY_FETCH: env.GIT_NO_LAZY_FETCH ?? "1" },
    stdio: ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"],
  };
  const text = Buffer.from(hook, "latin1").toString("utf8");
  if (!/[|&;<>()$`\\"' \t\n*?[#~=%]/.test(text)) return spawn(text, argv, options);
  return spawn("sh", ["-c", `${text} "$@"`, text, ...argv], options);
}

/** In the order in which C git gives them, which hooks may have come to rely on. */
function packObjectsArguments(request: PackRequest, isShallow: boolean): string[] {
  return [
    "git",
    ...(isShallow ? ["--shallow-file", ""] : []),
    "pack-objects",
    "--revs",
    ...(request.thin ? ["--thin"] : []),
    "--stdout",
    ...(isShallow ? ["--shallow"] : []),
    ...(request.progress ? ["--progress"] : []),
    ...(request.ofsDelta ? ["--delta-base-offset"] : []),
    ...((request.tags?.length ?? 0) > 0 ? ["--include-tag"] : []),
    ...(request.allowMissing ? ["--missing=allow-promisor"] : []),
    ...(request.filter === undefined ? [] : [`--filter=${formatFilter(request.filter)}`]),
  ];
}

function revisions({ wants, haves }: PackRequest, shallow: readonly string[]): string {
  const lines = [...shallow.map((id) => `--shallow ${id}`), ...wants, "--not", ...haves, ""];
  return `${lines.join("\n")}\n`;
}

/** Spec: git-rev-list, `--filter=<filter-spec>`. Exported for tests. */
export function formatFilter(filter: ObjectFilter): string {
  switch (filter.kind) {
    case "blob-none":
      return "blob:none";
    case "blob-limit":
      return `blob:limit=${filter.limitBytes}`;
    case "tree-depth":
      return `tree:${filter.depth}`;
    case "object-type":
      return `object:type=${filter.type}`;
    case "sparse":
      return `sparse:oid=${filter.patterns}`;
    case "combine":
      return `combine:${filter.filters.map((part) => formatFilter(part).replace(/[%+]/g, encodeURIComponent)).join("+")}`;
  }
}

/** What it writes, as it comes: the pack on standard output, texts for the user on standard error. */
async function* eventsOf({ stdout, stderr, ...rest }: Child): AsyncGenerator<PackEvent, void> {
  void rest;
  const ready: { readonly source: Readable; readonly result: IteratorResult<Buffer> }[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake = () => {};
  // Not Promise.race: while one source is silent, all that comes from the other would stay in memory.
  const ask = (source: Readable, iterator: AsyncIterator<Buffer>) =>
    iterator.next().then(
      (result) => {
        ready.push({ source, result });
        wake();
      },
      (error: unknown) => {
        failure = { error };
        wake();
      },
    );
  const sources = new Map([stderr, stdout].map((source) => [source, source[Symbol.asyncIterator]()]));
  for (const [source, iterator] of sources) void ask(source, iterator);
  while (sources.size > 0) {
    const next = ready.shift();
    if (next === undefined) {
      if (failure !== undefined) throw failure.error;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    const { source, result } = next;
    if (result.done) {
      sources.delete(source);
      continue;
    }
    if (source === stderr) yield { kind: "progress", text: result.value.toString("utf8") };
    else yield { kind: "bytes", bytes: new Uint8Array(result.value) };
    void ask(source, sources.get(source) as AsyncIterator<Buffer>);
  }
}
