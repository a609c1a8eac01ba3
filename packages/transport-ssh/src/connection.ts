import type { Socket } from "node:net";
import type { GitService, Logger, Peer, ServiceName } from "@x/server-core";
import type { ServerChannel, Session, Connection as SshConnection } from "ssh2";
import type { Authenticate } from "./authenticate.ts";
import { ChannelStream } from "./channel-stream.ts";
import { parseGitProtocol } from "./command.ts";
import { TransportSshError } from "./errors.ts";
import type { SshLimits } from "./limits.ts";
import { Logins } from "./login.ts";
import { greet, type Login, runCommand } from "./session.ts";

/** What a connection needs of its server. */
export interface ConnectionContext {
  readonly service: GitService;
  readonly authenticate: Authenticate;
  readonly limits: SshLimits;
  readonly logger: Logger | undefined;
  /** The keys of a connection are exchanged and it has logged in. */
  readonly onLogin: () => void;
}

/** Twice the window that `ssh2` opens: no client that keeps to it sends so much unasked. Unit: bytes. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
/** A client that takes less at a time makes us work more than it does. Unit: bytes. */
const MIN_PACKET_BYTES = 1024;
/** Who has not logged in needs one. */
const MAX_EARLY_HANDSHAKES = 2;

/** One connection, from its first byte to its last. */
export class Connection {
  readonly peer: Peer;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #controller = new AbortController();
  readonly #logins: Logins;
  readonly #running = new Map<ChannelStream, Promise<void>>();
  readonly #started: number = performance.now();
  #client: SshConnection | undefined;
  #login: Login | undefined;
  #open = 0;
  #closing = false;
  #timer: NodeJS.Timeout | undefined;
  #stalled: NodeJS.Timeout | undefined;

  constructor(socket: Socket, peer: Peer, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    this.peer = peer;
    const { limits, authenticate, logger } = context;
    this.#logins = new Logins({
      authenticate,
      maxAttempts: limits.maxAuthAttempts,
      peer,
      signal: this.#controller.signal,
      logger,
      onTooMany: () => this.fail("transport-ssh/unauthenticated", "too many keys were tried"),
    });
    this.closed = new Promise((resolve) =>
      socket.once("close", () => {
        if (this.#login === undefined && this.#logins.attempts > 0 && !this.#controller.signal.aborted)
          this.#log(new TransportSshError("transport-ssh/unauthenticated", "no key that is known here"));
        this.#end(new TransportSshError("transport-ssh/gone", "the client went away"));
        resolve();
      }),
    );
    // Without this listener a reset connection would end the process.
    socket.on("error", () => {});
    this.#deadline(limits.handshakeTimeoutMs, "exchange keys");
  }

  /** No command runs. */
  get idle(): boolean {
    return this.#running.size === 0;
  }

  /** Has to be called when `ssh2` listens to the socket: its data are counted, not taken. */
  watch(): void {
    this.#socket.on("data", () => this.#guard());
  }

  /** The client has sent its version. */
  attach(client: SshConnection): void {
    this.#client = client;
    const { limits } = this.#context;
    let handshakes = 0;
    client.on("error", (error) => this.fail("transport-ssh/protocol", error.message));
    client.on("handshake", () => {
      if (this.#login !== undefined) return;
      if (++handshakes > MAX_EARLY_HANDSHAKES)
        this.fail("transport-ssh/protocol", "keys were exchanged too often");
      else if (handshakes === 1) this.#deadline(limits.authTimeoutMs, "log in");
    });
    client.on("authentication", (attempt) => void this.#logins.answer(attempt));
    client.on("ready", () => {
      this.#login = this.#logins.signed;
      if (this.#login === undefined) return this.fail("transport-ssh/unauthenticated", "nobody has signed");
      this.#context.onLogin();
      this.#restIfIdle();
    });
    client.on("session", (accept, reject) => {
      if (this.#closing || this.#open >= limits.maxSessions) return reject();
      const session = accept();
      if (session !== undefined) this.#serve(session);
    });
  }

  /** Ends the connection, and all that runs for it. */
  fail(code: TransportSshError["code"], message: string): void {
    const error = new TransportSshError(code, message);
    if (this.#controller.signal.aborted) return;
    this.#log(error);
    this.#end(error);
    // Commands that were cut off have a moment to say so.
    setTimeout(() => {
      this.#client?.end();
      this.#socket.destroySoon();
      setTimeout(() => this.#socket.destroy(), 1000).unref();
    }, 50).unref();
  }

  /** Takes no more commands; resolves when those that run are done. */
  async finish(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#running.values());
    this.#client?.end();
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #serve(session: Session): void {
    this.#open++;
    let gitProtocol: string | undefined;
    let stream: ChannelStream | undefined;
    session.on("close", () => {
      this.#open--;
      stream?.fail(new TransportSshError("transport-ssh/gone", "the client went away"));
    });
    session.on("env", (accept, reject, { key, val }) => {
      const value = key === "GIT_PROTOCOL" ? parseGitProtocol(val) : undefined;
      if (value === undefined) return reject?.();
      gitProtocol = value;
      accept?.();
    });
    session.on("shell", (accept) => {
      const channel = this.#accept(accept);
      if (channel !== undefined && this.#login !== undefined) greet(channel, this.#login);
    });
    session.on("exec", (accept, reject, { command }) => {
      const login = this.#login;
      if (this.#closing || login === undefined) return reject?.();
      const channel = this.#accept(accept);
      if (channel === undefined) return;
      const { service, logger } = this.#context;
      const streamOf = (name: ServiceName | undefined): ChannelStream => {
        stream = new ChannelStream(channel, this.#socket, this.#patience(name));
        return stream;
      };
      const done = runCommand(command, streamOf, { service, logger, peer: this.peer, login, gitProtocol });
      if (stream !== undefined) this.#running.set(stream, done);
      clearTimeout(this.#timer);
      void done.then(() => {
        if (stream !== undefined) this.#running.delete(stream);
        this.#restIfIdle();
      });
    });
  }

  #accept(accept: () => ServerChannel | undefined): ServerChannel | undefined {
    const channel = accept();
    if (channel === undefined || channel.outgoing.packetSize >= MIN_PACKET_BYTES) return channel;
    this.#log(new TransportSshError("transport-ssh/protocol", "the client takes too little at a time"));
    this.#socket.destroy();
    return undefined;
  }

  #patience(service: ServiceName | undefined) {
    const { limits } = this.#context;
    const isPush = service === "git-receive-pack";
    return {
      readIdleMs: isPush ? limits.receivePackIdleTimeoutMs : limits.readIdleTimeoutMs,
      slowGraceMs: isPush ? limits.receivePackSlowGraceMs : limits.slowGraceMs,
      minBytesPerSecond: limits.minBytesPerSecond,
      writeIdleMs: limits.writeIdleTimeoutMs,
      maxQueuedBytes: limits.maxQueuedBytes,
    };
  }

  /** Keeps to the window those who do not, and lets nobody ask for more than it reads. */
  #guard(): void {
    const socket = this.#socket;
    for (const stream of this.#running.keys())
      if (stream.unread > MAX_UNREAD_BYTES) return void socket.destroy();
    const { maxQueuedBytes, writeIdleTimeoutMs } = this.#context.limits;
    if (socket.writableLength <= maxQueuedBytes || socket.isPaused()) return;
    socket.pause();
    this.#stalled = setTimeout(() => socket.destroy(), writeIdleTimeoutMs);
    socket.once("drain", () => {
      clearTimeout(this.#stalled);
      socket.resume();
    });
  }

  #restIfIdle(): void {
    if (this.#login !== undefined && this.idle)
      this.#deadline(this.#context.limits.idleTimeoutMs, "do anything");
  }

  #deadline(ms: number, what: string): void {
    clearTimeout(this.#timer);
    if (this.#controller.signal.aborted) return;
    this.#timer = setTimeout(
      () => this.fail("transport-ssh/timeout", `the client did not ${what} within ${ms} ms`),
      ms,
    );
  }

  #end(error: TransportSshError): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#stalled);
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(error);
    for (const stream of this.#running.keys()) stream.fail(error);
  }

  #log(error: TransportSshError): void {
    const { logger } = this.#context;
    if (logger === undefined) return;
    const fields = {
      peer: this.peer.address,
      user: this.#login?.user,
      transport: "ssh",
      outcome: error.code,
      reason: error.message,
      ms: Math.round(performance.now() - this.#started),
    };
    // Who has been idle for a while has done nothing wrong.
    if (this.#login !== undefined && error.code === "transport-ssh/timeout")
      logger.debug(fields, "connection");
    else logger.info(fields, "request");
  }
}
