import { PacketReader } from "@x/pktline";
import {
  type GitService,
  type Logger,
  type Peer,
  protocolVersion,
  ServiceError,
  type ServiceName,
} from "@x/server-core";
import { TransportTcpError } from "./errors.ts";
import type { TcpLimits } from "./limits.ts";
import { outcomeOf, refusalPacket } from "./refusal.ts";
import { parseRequestLine, type RequestLine } from "./request-line.ts";
import type { Patience, SocketStream } from "./socket-stream.ts";

/** What a session needs of its server. */
export interface SessionContext {
  readonly service: GitService;
  readonly limits: TcpLimits;
  readonly logger: Logger | undefined;
  readonly peer: Peer;
}

const SERVICES: ReadonlySet<string> = new Set<ServiceName>(["git-upload-pack", "git-receive-pack"]);

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
    const last = error === undefined ? undefined : refusalPacket(error, this.#line?.path ?? "");
    await this.#stream.finish(last, this.#context.limits);
    this.#log(error, ms);
  }

  async #serve(): Promise<void> {
    const reader = new PacketReader(this.#stream.chunks());
    const line = await this.#readRequestLine(reader);
    const service = line.service as ServiceName;
    if (!SERVICES.has(service) || isAliased(line.path))
      throw new ServiceError("server-core/repository-not-found", "refused before the disk was touched");
    if (service === "git-receive-pack")
      this.#patience.readIdleMs = this.#context.limits.receivePackIdleTimeoutMs;
    this.#called = true;
    const answer = this.#context.service({
      service,
      repository: line.path.length > 1 && line.path.endsWith("/") ? line.path.slice(0, -1) : line.path,
      version: protocolVersion(line.parameters.join(":")),
      mode: "duplex",
      transport: "git",
      peer: this.#context.peer,
      input: reader.rest(),
      signal: this.#stream.signal,
    });
    for await (const chunk of answer) await this.#stream.write(chunk);
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
