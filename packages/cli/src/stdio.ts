import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import {
  createGitService,
  type GitService,
  type GitServiceOptions,
  protocolVersion,
  type Repository,
  ServiceError,
  type ServiceName,
} from "@x/server-core";
import { protocolText } from "./args.ts";
import { openStorage, type Storage } from "./compose.ts";
import { CliError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";
import { packageVersion } from "./version.ts";

/** `xgit upload-pack` and `xgit receive-pack`, as their flags say. */
export interface StdioOptions {
  readonly service: ServiceName;
  readonly directory: string;
  /** Take the directory as it is written. */
  readonly strict: boolean;
  readonly statelessRpc: boolean;
  readonly advertiseRefs: boolean;
  /** The client may stay silent that long; 0 is for ever. Unit: seconds. */
  readonly timeout: number;
}

/**
 * One service on standard input and output.
 * @returns the exit status: 0, or 128 after `fatal: ...` on standard error, as git's own commands have it
 */
export async function serveStdio(options: StdioOptions, terminal: Terminal): Promise<number> {
  const { stdin, stdout } = terminal;
  const controller = new AbortController();
  const gone = () => controller.abort(new ServiceError("server-core/aborted", "the client went away"));
  // A client that has all it wants closes the pipe: nothing to talk about.
  stdout.on("error", gone).on("close", gone);
  stdin.on("error", gone);
  const storage = openStorage({ single: true });
  try {
    const repository = await findRepository(storage, options, terminal.env.HOME);
    const { service } = options;
    const serve = await serviceOf(
      { repositories: async () => repository, services: [service], agent: `xgit/${packageVersion()}` },
      terminal,
    );
    const answer = serve({
      service,
      repository: options.directory,
      version: protocolVersion(protocolText(terminal.env.GIT_PROTOCOL)),
      mode: options.advertiseRefs ? "advertise" : options.statelessRpc ? "rpc" : "duplex",
      transport: "stdio",
      peer: {},
      input: chunksOf(stdin, options.timeout),
      signal: controller.signal,
    });
    for await (const chunk of answer) await write(stdout, chunk, controller.signal);
    return 0;
  } catch (error) {
    if (controller.signal.aborted) return 128;
    if (error instanceof ServiceError && error.code !== "server-core/internal")
      throw new CliError("cli/fatal", error.message, { cause: error });
    throw error;
  } finally {
    stdin.destroy();
    await storage.close();
  }
}

/** Most calls are spared the code that traces. */
async function serviceOf(options: GitServiceOptions, terminal: Terminal): Promise<GitService> {
  const { GIT_TRACE_PACKET: packets = "", GIT_TRACE2_EVENT: events = "" } = terminal.env;
  if (packets === "" && events === "") return createGitService(options);
  const { createTracedService } = await import("./trace.ts");
  return createTracedService(options, terminal, process.pid);
}

async function findRepository(
  storage: Storage,
  { directory, strict }: StdioOptions,
  home: string | undefined,
): Promise<Repository> {
  const path = !strict && home !== undefined ? directory.replace(/^~(?=\/|$)/, home) : directory;
  const sound = path !== "" && !path.includes("\0");
  const repository = sound ? await storage.openRepository(path, { strict }) : undefined;
  if (repository !== undefined) return repository;
  throw new CliError("cli/fatal", `'${directory}' does not appear to be a git repository`);
}

async function* chunksOf(stdin: Readable, seconds: number): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = stdin.iterator({ destroyOnReturn: false });
  for (;;) {
    const result = await withDeadline(iterator.next(), seconds);
    if (result.done) return;
    const chunk: Buffer = result.value;
    yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
  }
}

async function withDeadline<T>(promise: Promise<T>, seconds: number): Promise<T> {
  if (seconds === 0) return promise;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ServiceError("server-core/aborted", `the client was silent for ${seconds} seconds`);
    timer = setTimeout(() => reject(error), seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function write(stdout: Writable, chunk: Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!stdout.write(chunk)) await once(stdout, "drain", { signal });
}
