import { type GitService, type Logger, type Peer, protocolVersion, ServiceError } from "@x/server-core";
import type { ServerChannel } from "ssh2";
import type { ChannelStream } from "./channel-stream.ts";
import { parseSshCommand, repositoryOfPath, type SshCommand } from "./command.ts";
import { TransportSshError } from "./errors.ts";
import { isReported, outcomeOf, wordsFor } from "./refusal.ts";

/** Git's own exit status when it cannot go on. */
const FATAL = 128;

/** Who has logged in. */
export interface Login {
  /** Whose key it is. */
  readonly user: string;
  /** The name that the client gave itself. */
  readonly login: string;
  readonly fingerprint: string;
}

/** What a command needs of its connection. */
export interface SessionContext {
  readonly service: GitService;
  readonly logger: Logger | undefined;
  readonly peer: Peer;
  readonly login: Login;
  /** The one variable that the client may have set. */
  readonly gitProtocol: string | undefined;
}

/**
 * One command from its first byte to its exit status. Never throws: what goes wrong ends the channel and is logged.
 * @param streamOf opens the channel for a service
 */
export async function runCommand(
  text: string,
  streamOf: (service: SshCommand["service"] | undefined) => ChannelStream,
  context: SessionContext,
): Promise<void> {
  const started = performance.now();
  let command: SshCommand | undefined;
  let stream: ChannelStream | undefined;
  let called = false;
  let error: unknown;
  try {
    command = parseSshCommand(text);
    stream = streamOf(command.service);
    const repository = repositoryOfPath(command.path);
    if (repository === undefined)
      throw new ServiceError("server-core/repository-not-found", "refused before the disk was touched");
    called = true;
    await serve(stream, command, repository, context);
  } catch (thrown) {
    // A service that is called off may word that in its own way; the channel knows why it was.
    const known = stream?.signal.aborted === true && !isReported(thrown);
    error = (known ? stream?.signal.reason : thrown) ?? new Error("nothing was thrown");
  }
  stream ??= streamOf(undefined);
  const words = error === undefined ? "" : wordsFor(error, command?.path ?? "");
  try {
    stream.finish(error === undefined ? 0 : FATAL, words);
  } catch {
    // the connection is gone
  }
  log(context, { command, called, error, ms: performance.now() - started, stream });
}

async function serve(
  stream: ChannelStream,
  { service }: SshCommand,
  repository: string,
  { service: git, peer, login, gitProtocol }: SessionContext,
): Promise<void> {
  const answer = git({
    service,
    repository,
    version: protocolVersion(gitProtocol),
    mode: "duplex",
    transport: "ssh",
    peer: { ...peer, user: login.user },
    credentials: { kind: "key", user: login.login, fingerprint: login.fingerprint },
    input: stream.chunks(),
    signal: stream.signal,
    aside: (words) => stream.aside(words),
  });
  for await (const chunk of answer) await stream.write(chunk);
}

/** For whoever tries their key with `ssh git@host`. */
export function greet(channel: ServerChannel, { user }: Login): void {
  channel.on("error", () => {});
  channel.stderr.on("error", () => {});
  channel.stderr.write(`Hello ${user}: your key is known here. There is no shell, only Git.\n`);
  channel.exit(1);
  channel.end();
  channel.resume();
}

interface Ended {
  readonly command: SshCommand | undefined;
  readonly called: boolean;
  readonly error: unknown;
  readonly ms: number;
  readonly stream: ChannelStream;
}

/** A service logs its own calls: these lines say how their channels ended, and what never became a call. */
function log(
  { logger, peer, login, gitProtocol }: SessionContext,
  { command, called, error, ms, stream }: Ended,
): void {
  if (logger === undefined) return;
  const outcome = error === undefined ? "ok" : outcomeOf(error);
  const fields = {
    peer: peer.address,
    user: login.user,
    transport: "ssh",
    service: command?.service,
    repository: command?.path,
    version: protocolVersion(gitProtocol),
    outcome,
    reason: error instanceof Error ? error.message : undefined,
    ms: Math.round(ms),
    bytesIn: stream.bytesIn,
    bytesOut: stream.bytesOut,
  };
  if (outcome === "internal") logger.error({ ...fields, error }, "connection");
  else if (!called) logger.info(fields, "request");
  else if (error instanceof TransportSshError && error.code !== "transport-ssh/gone")
    logger.info(fields, "connection");
  else logger.debug(fields, "connection");
}
