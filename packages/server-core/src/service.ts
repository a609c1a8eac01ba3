import type { Lend } from "@x/objects";
import type { Credentials } from "./access/authorize.ts";
import type { Repository } from "./ports.ts";

/** The services a Git server offers. Spec: gitprotocol-common; git-upload-archive. */
export type ServiceName = "git-upload-pack" | "git-receive-pack" | "git-upload-archive";

/** The version of the wire protocol that a client asked for. Spec: gitprotocol-v2, gitprotocol-pack. */
export type ProtocolVersion = 0 | 1 | 2;

/** Whoever is at the other end, as far as the transport can tell. */
export interface Peer {
  /** For example `127.0.0.1`; for the log and for hooks. */
  readonly address?: string | undefined;
  /** The port at its end. */
  readonly port?: number | undefined;
  /** A name the transport has authenticated. */
  readonly user?: string | undefined;
  /** Whom reflogs name, `Name <mail>`; without it a name is made of the others. */
  readonly committer?: string | undefined;
}

/** Where a client has got to, and what it says of it: for virtual hosts, hooks and logs. */
export interface Reached {
  /** The name by which the client knows the server, without a port. Untrusted. */
  readonly host?: string | undefined;
  /** The port that the client names with it. Untrusted. */
  readonly port?: number | undefined;
  /** What else the client said before any Git byte, for example `version=2`. Untrusted. */
  readonly parameters?: readonly string[] | undefined;
  /** The server's own end of the connection. */
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** What a transport knows about a request before any Git byte is read. */
export interface ServiceCall {
  readonly service: ServiceName;
  /** As the client wrote it, decoded once. Untrusted: only the resolver may turn it into a location. */
  readonly repository: string;
  readonly version: ProtocolVersion;
  /** `advertise`: HTTP GET info/refs. `rpc`: one HTTP POST. `duplex`: a TCP or SSH connection. */
  readonly mode: "advertise" | "rpc" | "duplex";
  /** `http`, `https`, `git`, `ssh`, `stdio`, or a name of its own. */
  readonly transport: string;
  readonly peer: Peer;
  /** What the client has shown of itself; anonymous when not given. */
  readonly credentials?: Credentials | undefined;
  readonly reached?: Reached | undefined;
  /** Read as far as the service needs it and never ended by it: the transport lets go of it after the call. */
  readonly input: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  /**
   * Whether the client has ended its half of the connection: then it may be gone, which only a byte that is sent to it can
   * show. Not given where the signal tells.
   */
  readonly mayBeGone?: (() => boolean) | undefined;
  /**
   * The transport's own rules, as a repository's settings have them (`http.receivepack`). Called once, when access is
   * granted and the repository is found. @throws ServiceError to refuse the call
   */
  readonly vet?: ((repository: Repository, peer: Peer) => void) | undefined;
  /**
   * Where it is given, chunks may be lent: whoever gives it tells when one has left, and who keeps one for longer has to
   * copy it. See `LentBuffers`.
   */
  readonly lend?: Lend | undefined;
  /** Takes what the user would be shown if the client could show it: standard error behind ssh. Nobody gets it otherwise. */
  readonly aside?: ((text: Uint8Array) => void) | undefined;
}

/**
 * The whole server, whatever the transport: bytes in, bytes out. Chunks are at most 64 KiB and, unless lent, belong to the consumer.
 * Leaving the iteration, or aborting the call's signal, ends all that runs for it at once.
 * @throws ServiceError out of the iteration; see there for who tells the peer
 */
export type GitService = (call: ServiceCall) => AsyncIterable<Uint8Array>;
