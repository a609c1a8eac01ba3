import { PacketReader } from "@x/pktline";
import {
  type GitService,
  type Logger,
  type Peer,
  protocolVersion,
  type Reached,
  type ServiceCall,
  ServiceError,
  type ServiceName,
} from "@x/server-core";
import { TransportTcpError } from "./errors.ts";
import type { TcpLimits } from "./limits.ts";
import { outcomeOf, refusalPacket } from "./refusal.ts";
import { parseRequestLine, type RequestLine } from "./request-line.ts";
import type { Patience, SocketStream } from "./socket-stream.ts";

/**
 * Asked once for each request before the service is.
 * @returns why the client may not, one line; `undefined` when it may. To throw is to refuse.
 */
export type AccessHook = (call: ServiceCall) => Promise<string | undefined>;

/** What a session needs of its server. */
export interface SessionContext {
  readonly service: GitService;
  readonly limits: TcpLimits;
  readonly logger: Logger | undefined;
  readonly accessHook: AccessHook | undefined;
  readonly informativeErrors: boolean;
  readonly peer: Peer;
  /** The server's own end of the connection. */
  readonly local: Pick<Reached, "localAddress" | "localPort">;
}

/** As C git's daemon says it; the disk has not been looked at. */
const NO_SUCH_REPOSITORY = "no such repository";

const SERVICES: ReadonlySet<string> = new Set<ServiceName>([
  "git-upload-pack",
  "git-receive-pack",
  "git-upload-archive",
]);

/** One connection from its first byte to its last. Never throws: what goes wrong ends the connection and is logged. */
export class Session {
  readonly #stream: SocketStream;
  readonly #patience: Patience;
  readonly #context: SessionContext;
  readonly #started = performance.now();
  #line: RequestLine | undefined;
  #called = false;

  constructor(stream: SocketStream, patience: Patience, context: SessionContext) {
    this.#stream = stream;
    this.#patience = patience;
    this.#context = context;
  }

  /** The request line has been read. */
  get requested(): boolean {
    return this.#line !== undefined;
  }

  /** @param refusal ends the connection with this error, unread */
  async run(refusal?: TransportTcpError): Promise<void> {
    let error: unknown;
    try {
      if (refusal !== undefined) throw refusal;
      await this.#serve();
    } catch (thrown) {
      // A service that is called off may word that in its own way; the connection knows why it was.
      const known = this.#stream.signal.aborted && !isReported(thrown);
      error = (known ? this.#stream.signal.reason : thrown) ?? new Error("nothing was thrown");
    }
    const ms = Math.round(performance.now() - this.#started);
    const { informativeErrors } = this.#context;
    const last =
      error === undefined ? undefined : refusalPacket(error, this.#line?.path ?? "", informativeErrors);
    await this.#stream.finish(last, this.#context.limits);
    this.#log(error, ms);
  }

  async #serve(): Promise<void> {
    const { logger, limits, peer, local, accessHook } = this.#context;
    logger?.debug({ transport: "git", peer: peer.address, port: peer.port }, "opened");
    const reader = new PacketReader(this.#stream.chunks());
    const line = await this.#readRequestLine(reader);
    const { host, port, parameters } = line;
    logger?.debug({ transport: "git", peer: peer.address, ...line }, "asked");
    const service = line.service as ServiceName;
    if (!SERVICES.has(service) || isAliased(line.path))
      throw new ServiceError("server-core/repository-not-found", NO_SUCH_REPOSITORY);
    if (service === "git-receive-pack") {
      this.#patience.readIdleMs = limits.receivePackIdleTimeoutMs;
      this.#patience.slowGraceMs = limits.receivePackSlowGraceMs;
    }
    const call: ServiceCall = {
      service,
      repository: line.path.length > 1 && line.path.endsWith("/") ? line.path.slice(0, -1) : line.path,
      version: protocolVersion(parameters.join(":")),
      mode: "duplex",
      transport: "git",
      peer,
      reached: { host, port, parameters, ...local },
      input: reader.rest(),
      signal: this.#stream.signal,
      mayBeGone: () => this.#stream.ended,
      lend: this.#stream.lend,
    };
    if (accessHook !== undefined) await this.#askForAccess(accessHook, call);
    this.#called = true;
    for await (const chunk of this.#context.service(call)) await this.#stream.write(chunk);
  }

  async #askForAccess(accessHook: AccessHook, call: ServiceCall): Promise<void> {
    let reason: string | undefined;
    let cause: unknown;
    try {
      reason = await accessHook(call);
    } catch (thrown) {
      cause = thrown;
      reason = "service rejected";
    }
    call.signal.throwIfAborted();
    if (reason !== undefined)
      throw new TransportTcpError("transport-tcp/refused", reason || "service rejected", { cause });
  }

  async #readRequestLine(reader: PacketReader): Promise<RequestLine> {
    const { initTimeoutMs, maxRequestLineBytes } = this.#context.limits;
    // One deadline for the whole line: an idle timeout alone lets a byte a second go on for a day.
    const timer = setTimeout(() => {
      const message = `no request within ${initTimeoutMs} ms`;
      this.#stream.fail(new TransportTcpError("transport-tcp/timeout", message));
    }, initTimeoutMs);
    try {
      const packet = await reader.readPacket();
      if (packet === undefined)
        throw new TransportTcpError("transport-tcp/gone", "the client sent no request");
      if (packet.type !== "data")
        throw new TransportTcpError(
          "transport-tcp/bad-request-line",
          `bad request line: a ${packet.type} packet`,
        );
      if (packet.payload.length > maxRequestLineBytes)
        throw new TransportTcpError(
          "transport-tcp/request-line-too-long",
          `the request line exceeds maxRequestLineBytes (${maxRequestLineBytes})`,
        );
      this.#line = parseRequestLine(packet.payload);
      return this.#line;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A service logs its own calls: these lines say how their connections ended, and what never became a call. */
  #log(error: unknown, ms: number): void {
    const { logger, peer } = this.#context;
    if (logger === undefined) return;
    const outcome = error === undefined ? "ok" : outcomeOf(error);
    const fields = {
      peer: peer.address,
      transport: "git",
      service: this.#line?.service,
      repository: this.#line?.path,
      version: this.#line && protocolVersion(this.#line.parameters.join(":")),
      outcome,
      reason: error instanceof Error ? error.message : undefined,
      ms,
      bytesIn: this.#stream.bytesIn,
      bytesOut: this.#stream.bytesOut,
    };
    if (outcome === "internal") logger.error({ ...fields, error }, "connection");
    else if (!this.#called) logger.info(fields, "request");
    else if (outcome === "transport-tcp/timeout") logger.info(fields, "connection");
    else logger.debug(fields, "connection");
  }
}

function isReported(error: unknown): boolean {
  return error instanceof ServiceError && error.reported;
}

/**
 * A path that could mean another one, or that starts nowhere. C git's daemon refuses the same, before it looks at
 * the disk.
 */
function isAliased(path: string): boolean {
  if (!/^[/~]/.test(path) || path.includes("\\")) return true;
  const names = path.split("/");
  return names
    .slice(1)
    .some((name, i) => (name === "" ? i < names.length - 2 : name === "." || name === ".."));
}
