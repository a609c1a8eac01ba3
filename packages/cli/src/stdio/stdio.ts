import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { FileHooks } from "@x/file-hooks";
import {
  createGitService,
  type FsckPreset,
  type GitService,
  type GitServiceOptions,
  type Logger,
  protocolVersion,
  ServiceError,
} from "@x/server-core";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import { packageVersion } from "../version.ts";
import { committerOf } from "./committer.ts";
import { lacksPromised } from "./lacks-promised.ts";
import { openOperatorRepository } from "./operator-repository.ts";
import type { StdioOptions } from "./stdio-options.ts";

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
  const { service } = options;
  const { env } = terminal;
  const warn = (line: string) => void terminal.stderr.write(`${line}\n`);
  const version = protocolVersion(env.GIT_PROTOCOL);
  const mode = options.advertiseRefs ? "advertise" : options.statelessRpc ? "rpc" : "duplex";
  let heard = 0;
  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      heard += chunk.length;
      yield chunk;
    }
  }
  const { repository, protectedConfig, close } = await openOperatorRepository({ ...options, env, warn });
  let hooks: FileHooks | undefined;
  let killed: number | undefined;
  const listening =
    service === "git-receive-pack" &&
    terminal.onSignal((status) => {
      killed = status;
      gone();
      void hooks?.close();
    });
  try {
    if (options.hooks && mode !== "advertise") {
      const { operatorHooks } = await import("../operator-hooks.ts");
      const logger = adviceFor(warn);
      hooks = operatorHooks({
        protectedConfig,
        home: env.HOME,
        environment: env,
        output: "verbatim",
        logger,
      });
    }
    const serve = await serviceOf(
      {
        repositories: async () => repository,
        services: [service],
        agent: agentOf(env.GIT_USER_AGENT),
        fsck: fsckOf(env.XGIT_FSCK),
        unpackLimit: UNPACK_LIMIT,
        ...(hooks && { hooks }),
        verifyPush: async (payload, signature, context) => {
          const { verifyAsOperator } = await import("./verify-as-operator.ts");
          return verifyAsOperator({ protectedConfig, env, warn }, payload, signature, context);
        },
      },
      terminal,
    );
    const answer = serve({
      service,
      repository: options.directory,
      version,
      mode,
      transport: "stdio",
      peer: service === "git-receive-pack" ? { committer: committerOf(env, repository.config) } : {},
      input: counted(chunksOf(stdin, options.timeout)),
      signal: controller.signal,
      aside: (text) => void terminal.stderr.write(text),
    });
    for await (const chunk of answer) await write(stdout, chunk, controller.signal);
    // A library's client may go without a word when it has seen enough; git's own say farewell, but for those of v2.
    if (heard === 0 && mode !== "advertise" && (version < 2 || service === "git-receive-pack"))
      throw new CliError("cli/fatal", HUNG_UP);
    return 0;
  } catch (error) {
    if (controller.signal.aborted) return killed ?? 128;
    if (lacksPromised(error, repository.config))
      warn("warning: lazy fetching disabled; some objects may not be available");
    if (service === "git-upload-archive" && error instanceof ServiceError && error.reported)
      throw new CliError("cli/fatal", `sent error to the client: ${ARCHIVER_DIED}`, { cause: error });
    if (error instanceof ServiceError && error.code !== "server-core/internal")
      throw new CliError("cli/fatal", isCutShort(error) ? HUNG_UP : ownWords(error), { cause: error });
    throw error;
  } finally {
    stdin.destroy();
    await hooks?.close();
    if (listening) listening();
    await close();
  }
}

/** Tells of hooks that do not run, as git does. Spec: git-config, `advice.ignoredHook` */
export function adviceFor(warn: (line: string) => void): Logger {
  const nothing = () => {};
  return {
    debug: nothing,
    info: nothing,
    warn: (_fields, message) => warn(`hint: ${printable(message)}`),
    error: nothing,
  };
}

/** Most calls are spared the code that traces. */
export async function serviceOf(options: GitServiceOptions, terminal: Terminal): Promise<GitService> {
  const { GIT_TRACE_PACKET: packets = "", GIT_TRACE2_EVENT: events = "" } = terminal.env;
  if (packets === "" && events === "") return createGitService(options);
  const { createTracedService } = await import("../trace/trace.ts");
  return createTracedService(options, terminal, process.pid);
}

/**
 * As in C git: where its programs are replaced one for one, what looks after the repository goes by loose objects
 * (`gc.auto`). Spec: git-config, `receive.unpackLimit`.
 */
export const UNPACK_LIMIT = 100;

/** Why, the client was told beside it. */
const ARCHIVER_DIED = "git upload-archive: archiver died with error";

/** Git's word for every way in which a client can stop short. */
const HUNG_UP = "the remote end hung up unexpectedly";

function isCutShort({ cause }: ServiceError): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "pktline/truncated";
}

/** Git tells the user of the command the same as the client, but for this. */
function ownWords({ message }: ServiceError): string {
  return message.startsWith("upload-pack: not our ref ") ? `git ${message}` : message;
}

/** Other words than these are passed over: what is safe holds then. */
export function fsckOf(word: string | undefined): FsckPreset {
  return word === "relaxed" || word === "off" ? word : "strict";
}

/** What the server calls itself: letters, digits and signs, without blanks. */
export function agentOf(text: string | undefined): string {
  return text ? text.replace(/[^\x21-\x7e]/g, ".").slice(0, 200) : `xgit/${packageVersion()}`;
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
