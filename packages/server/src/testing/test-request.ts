import type { PushCommand, ServiceCall, ServiceErrorCode, ServiceName } from "@x/server-core";

/** What a client has asked for, and what became of it; filled in while it is served. */
export interface TestRequest {
  /** `http`, `https`, `git`, `ssh`, … */
  readonly transport: string;
  /** HTTP's. */
  readonly method?: string | undefined;
  /** HTTP's, as it came. */
  readonly target?: string | undefined;
  /** HTTP's, once the answer begins. */
  readonly status?: number | undefined;
  /** `undefined` where it never got to a service. */
  readonly service?: ServiceName | undefined;
  /** As the client wrote it, without a slash before it and `.git` behind it. */
  readonly repository?: string | undefined;
  readonly version?: ServiceCall["version"] | undefined;
  /** `file`: one of the dumb protocol. */
  readonly mode?: ServiceCall["mode"] | "file" | undefined;
  readonly credentials?: "anonymous" | "basic" | "bearer" | "key" | undefined;
  /** Who the client says it is. */
  readonly user?: string | undefined;
  /** A fetch: the ids that are wanted. */
  readonly wants?: readonly string[] | undefined;
  /** A fetch: commits from each want on, where that is bounded. */
  readonly depth?: number | undefined;
  /** A fetch: what is left out, by the kind of filter. */
  readonly filter?: string | undefined;
  /** A push: what it would change. */
  readonly commands?: readonly PushCommand[] | undefined;
  /** Of Git's protocol. Unit: bytes. */
  readonly bytesOut: number;
  /** `refused`: it was none for a service. `left`: the client did, before the end. */
  readonly outcome: "running" | "ok" | "left" | "refused" | ServiceErrorCode;
}

/** The same while it is filled in. */
export type OpenRequest = { -readonly [Name in keyof TestRequest]: TestRequest[Name] };
