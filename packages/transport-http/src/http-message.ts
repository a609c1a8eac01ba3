import type { Peer, ServiceCall } from "@x/server-core";

/** A request as any platform can give it. */
export interface HttpRequest {
  readonly method: string;
  /** The target of the request line as it came, undecoded: `/project.git/info/refs?service=git-upload-pack`. */
  readonly target: string;
  /** A header by its name in lower case; several of one name with `, ` between them. */
  readonly header: (name: string) => string | undefined;
  /** Read as far as it is needed. Leaving the iteration lets go of the rest. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Whether the client sends no more, and so may have gone without the signal's telling. */
  readonly mayBeGone?: (() => boolean) | undefined;
  /** See `ServiceCall.lend`. */
  readonly lend?: ServiceCall["lend"];
  readonly peer: Peer;
  /** `http` when not given. */
  readonly scheme?: "http" | "https" | undefined;
  /** Who speaks HTTP/1.0 does not know 405. Any later version when not given. */
  readonly protocol?: string | undefined;
}

/** An answer as any platform can send it. */
export interface HttpAnswer {
  readonly status: number;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Nothing, all of it, or chunks that are made as they are asked for. To leave their iteration calls off what makes
   * them; when it throws, the answer is not whole, and the connection has to be broken off.
   */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
}

/** Answers one request. Never rejects. */
export type AnswerRequest = (request: HttpRequest) => Promise<HttpAnswer>;
