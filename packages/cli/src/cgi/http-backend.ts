import { access } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import type { FileHooks } from "@x/file-hooks";
import {
  createGitServices,
  type GitServiceOptions,
  type Logger,
  ServiceError,
  type ServiceName,
} from "@x/server-core";
import {
  containedLayout,
  findRepository,
  parseConfigBoolean,
  parseConfigInteger,
  type RepositoryLayout,
} from "@x/storage-fs";
import { createFetchHandler, type HttpAnswer, parseRoute, type Route } from "@x/transport-http";
import { printable } from "../printable.ts";
import { committerOf } from "../stdio/committer.ts";
import { fatalLines } from "../stdio/fatal-lines.ts";
import { type OperatorRepository, openOperatorRepository } from "../stdio/operator-repository.ts";
import { adviceFor, agentOf, fsckOf, serviceOf, UNPACK_LIMIT } from "../stdio/stdio.ts";
import type { Terminal } from "../terminal.ts";
import { asGitAnswers, writeAnswer } from "./cgi-answer.ts";
import { type CgiRequest, readCgiRequest } from "./cgi-request.ts";

const SERVICES: readonly ServiceName[] = ["git-upload-pack", "git-receive-pack", "git-upload-archive"];

/** Longer settings are none. Spec: git-http-backend, `http.maxRequestBuffer`. Unit: bytes */
const DEFAULT_REQUEST_BUFFER = 10 * 1024 * 1024;

type Served = Exclude<Route, { readonly kind: "refused" }>;

/**
 * Answers the one request that a web server has started this program for.
 * @returns the exit status: 0 for whatever could be answered, as git-http-backend has it
 * Spec: git-http-backend; RFC 3875
 */
export async function serveCgi(terminal: Terminal): Promise<number> {
  const { stdout, stdin } = terminal;
  const controller = new AbortController();
  const gone = () => controller.abort(new ServiceError("server-core/aborted", "the client went away"));
  stdout.on("error", gone).on("close", gone);
  stdin.on("error", gone);
  let opened: Opened | undefined;
  const stop = terminal.onSignal(() => {
    gone();
    void opened?.hooks?.close();
  });
  try {
    const request = readCgiRequest(terminal.env);
    const route = parseRoute(request.method, request.target);
    if (route.kind !== "refused") opened = await open(request, route, terminal);
    const answer = await answerWith(opened, request, terminal, controller.signal);
    await writeAnswer(asGitAnswers(answer), stdout, controller.signal);
    return 0;
  } catch (error) {
    if (controller.signal.aborted) return 1;
    terminal.stderr.write(fatalLines(error));
    if (stdout.writableLength > 0 || opened?.hasAnswered === true) return 1;
    await writeAnswer(FAULT, stdout, controller.signal);
    return 0;
  } finally {
    stdin.destroy();
    await opened?.hooks?.close();
    stop();
    await opened?.repository.close();
  }
}

const FAULT: HttpAnswer = {
  status: 500,
  headers: {
    expires: "Fri, 01 Jan 1980 00:00:00 GMT",
    pragma: "no-cache",
    "cache-control": "no-cache, max-age=0, must-revalidate",
  },
  body: undefined,
};

/** What the request is about. */
interface Opened {
  readonly repository: OperatorRepository;
  readonly env: Terminal["env"];
  readonly hooks: FileHooks | undefined;
  hasAnswered: boolean;
}

/** @returns `undefined` when there is nothing that may be seen @throws CliError */
async function open(
  { root }: CgiRequest,
  route: Served,
  { env, stderr }: Terminal,
): Promise<Opened | undefined> {
  const warn = (line: string) => void stderr.write(`${line}\n`);
  const path = root === undefined ? route.repository : root.replace(/\/*$/, "") + route.repository;
  const layout = await findRepository(path);
  if (layout === undefined) {
    warn(`Not a git repository: '${printable(path)}'`);
    return undefined;
  }
  if (root !== undefined && !(await staysBelow(root, layout, env))) {
    warn(`'${printable(path)}': a link leads out of GIT_PROJECT_ROOT; see XGIT_FOLLOW_LINKS`);
    return undefined;
  }
  if (!(await isExported(layout, env))) {
    warn(`Repository not exported: '${printable(path)}'`);
    return undefined;
  }
  const { REMOTE_USER: user = "", REMOTE_ADDR: address = "" } = env;
  const who = user === "" ? "anonymous" : user;
  const committing = {
    GIT_COMMITTER_NAME: who,
    GIT_COMMITTER_EMAIL: `${who}@http.${address === "" ? "(none)" : address}`,
    ...env,
  };
  const service = route.kind === "file" ? "git-upload-pack" : route.service;
  const repository = await openOperatorRepository({
    service,
    directory: layout.gitDirectory,
    strict: true,
    ownOnly: true,
    skipConnectivityCheck: false,
    rejectThin: false,
    env,
    warn,
  });
  let hooks: FileHooks | undefined;
  if (service === "git-receive-pack" && route.kind === "rpc") {
    const { operatorHooks } = await import("../operator-hooks.ts");
    const { protectedConfig } = repository;
    const logger = adviceFor(warn);
    hooks = operatorHooks({
      protectedConfig,
      home: env.HOME,
      environment: committing,
      output: "verbatim",
      logger,
    });
  }
  return { repository, env: committing, hooks, hasAnswered: false };
}

/** Whether links, `gitdir:` files and alternates stay below the root, where the operator wants them to. */
async function staysBelow(root: string, layout: RepositoryLayout, env: Terminal["env"]): Promise<boolean> {
  if (parseConfigBoolean(env.XGIT_FOLLOW_LINKS ?? "false") === true) return true;
  const contained = await containedLayout(layout, [resolve(root)]).catch(() => undefined);
  return contained !== undefined;
}

async function isExported({ gitDirectory }: RepositoryLayout, env: Terminal["env"]): Promise<boolean> {
  if (env.GIT_HTTP_EXPORT_ALL !== undefined) return true;
  return access(`${gitDirectory}/git-daemon-export-ok`).then(
    () => true,
    () => false,
  );
}

async function answerWith(
  opened: Opened | undefined,
  request: CgiRequest,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { env } = terminal;
  const warn = (line: string) => void terminal.stderr.write(`${line}\n`);
  const repository = opened?.repository.repository;
  const options: GitServiceOptions = {
    repositories: async () => repository,
    services: SERVICES,
    agent: agentOf(env.GIT_USER_AGENT),
    fsck: fsckOf(env.XGIT_FSCK),
    unpackLimit: UNPACK_LIMIT,
    logger: complaints(warn),
    ...(opened?.hooks && { hooks: opened.hooks }),
    ...(opened && {
      verifyPush: async (payload, signature, context) => {
        const { verifyAsOperator } = await import("../stdio/verify-as-operator.ts");
        const { protectedConfig } = opened.repository;
        return verifyAsOperator({ protectedConfig, env, warn }, payload, signature, context);
      },
    }),
  };
  const maxRequestBuffer =
    bytesOf(env.GIT_HTTP_MAX_REQUEST_BUFFER) ??
    bytesOf(repository?.config.get("http.maxRequestBuffer")) ??
    DEFAULT_REQUEST_BUFFER;
  const { answer } = createFetchHandler({
    service: await serviceOf(options, terminal),
    dumb: createGitServices(options).dumb,
    logger: complaints(warn),
    anonymous: ["git-upload-pack", "files"],
    maxRequestBuffer,
  });
  const { method, target, header, protocol } = request;
  const { REMOTE_USER: user, REMOTE_ADDR: address } = env;
  const committer = opened && committerOf(opened.env, opened.repository.repository.config);
  let heard = 0;
  const count = (bytes: number) => {
    heard += bytes;
  };
  const given = await answer({
    method,
    target,
    header,
    body: method === "POST" ? bodyOf(terminal.stdin, request.contentLength, count) : undefined,
    signal,
    protocol,
    peer: { address, user, committer },
  });
  if (opened !== undefined) opened.hasAnswered = true;
  if (method === "POST" && given.status === 200 && heard === 0)
    warn("fatal: the remote end hung up unexpectedly");
  return given;
}

/** What went wrong, for the web server's log of errors. */
function complaints(warn: (line: string) => void): Logger {
  const complain = (fields: object) => {
    const { outcome, reason } = fields as { readonly outcome?: unknown; readonly reason?: unknown };
    const isQuiet = outcome === "ok" || outcome === "left" || outcome === "server-core/repository-not-found";
    if (isQuiet || typeof reason !== "string") return;
    const isPlain = outcome === "refused" || outcome === "server-core/service-disabled";
    warn(`${isPlain ? "" : "fatal: "}${printable(reason)}`);
  };
  return { debug: () => {}, info: complain, warn: complain, error: complain };
}

/** As git reads numbers of its environment. */
function bytesOf(text: string | undefined): number | undefined {
  const bytes = text === undefined ? undefined : parseConfigInteger(text);
  return bytes !== undefined && bytes > 0 ? bytes : undefined;
}

/** No more than what belongs to the request: a web server may leave standard input open behind it. */
async function* bodyOf(
  stdin: Readable,
  length: number | undefined,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = length ?? Number.POSITIVE_INFINITY;
  if (left === 0) return;
  for await (const piece of stdin.iterator({ destroyOnReturn: false })) {
    const chunk = piece as Buffer;
    const take = Math.min(chunk.length, left);
    onBytes(take);
    yield new Uint8Array(chunk.buffer, chunk.byteOffset, take);
    left -= take;
    if (left === 0) return;
  }
}
