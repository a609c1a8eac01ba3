import type { Peer, ServiceName } from "../service.ts";

/**
 * What a client has shown of itself. A password and a token are what it sent; a key is one that it has proved to hold.
 * Never logged.
 */
export type Credentials =
  | { readonly kind: "anonymous" }
  | { readonly kind: "basic"; readonly user: string; readonly password: string }
  | { readonly kind: "bearer"; readonly token: string }
  | {
      readonly kind: "key";
      /** The name that the client gave itself. */
      readonly user: string;
      /** As OpenSSH prints it: `SHA256:` and base64 without padding. */
      readonly fingerprint: string;
    };

/** Who asks for what, before anything of the repository was looked at. */
export interface AccessRequest {
  /** As the client wrote it, decoded once. It may not exist. */
  readonly repository: string;
  /** Files of the dumb protocol count as `git-upload-pack`. */
  readonly service: ServiceName;
  /** As {@link ServiceCall.transport}. */
  readonly transport: string;
  readonly credentials: Credentials;
  readonly peer: Peer;
  readonly signal: AbortSignal;
}

/** What {@link Authorize} found. */
export type AccessVerdict =
  | {
      readonly granted: true;
      /** Whom hooks, logs and reflogs name; the peer's own name when not given. */
      readonly user?: string | undefined;
      /** `Name <mail>`, for reflogs. */
      readonly committer?: string | undefined;
    }
  | {
      readonly granted: false;
      /**
       * `credentials`: others may do; the client is asked for them where its transport can ask. `hidden`: it reads as if
       * there were no such repository. `forbidden`: it may know of the repository, yet not do this. `throttled`: it has
       * failed too often, and was not even listened to.
       */
      readonly reason: "credentials" | "hidden" | "forbidden" | "throttled";
      /** For the client, with `forbidden`. */
      readonly message?: string | undefined;
      /** With `throttled`: when to try again. Unit: milliseconds. */
      readonly retryAfterMs?: number | undefined;
    };

/**
 * Says who may do what. Asked once for every call, with its route, method and service decided, before the repository
 * is looked for: so its answer cannot tell whether there is one. A rejection counts as a fault of the server.
 *
 * Nor can what follows tell it: an anonymous caller hears `server-core/unauthenticated` of what is `hidden` from it, and
 * of what is granted to it and not there; nothing is `forbidden` that is not there; and these answers leave at the same
 * pace (`refusalStepMs`).
 */
export type Authorize = (request: AccessRequest) => Promise<AccessVerdict>;

export const ANONYMOUS: Credentials = Object.freeze({ kind: "anonymous" });
