import type { StoredFileName } from "../ports.ts";
import type { ServiceCall } from "../service.ts";

/** A file that clients of dumb transports may ask for; there are no others. Spec: gitrepository-layout; gitprotocol-http. */
export type DumbFile = { readonly kind: "head" | "info-refs" | "packs" } | StoredFileName;

/** What a transport knows about a request for a file. */
export interface DumbCall
  extends Pick<ServiceCall, "repository" | "transport" | "peer" | "credentials" | "signal" | "vet"> {
  readonly file: DumbFile;
}

/** A file to be sent. Whoever got it reads it, or closes it. */
export interface DumbContent {
  /** `undefined` for what is much and made as it is read. Unit: bytes. */
  readonly size: number | undefined;
  /** Changes when the content does; `undefined` for what is made for each call. */
  readonly stamp?: string | undefined;
  /** Unit: milliseconds since 1970. */
  readonly modifiedMs?: number | undefined;
  /** Nothing else will ever have its name. */
  readonly immutable: boolean;
  /**
   * Reads once, in chunks of at most 64 KiB, and closes it, also when left early.
   * @param range from `start` to before `end`; all of it when not given. Only where `size` is known. Unit: bytes
   */
  readonly read: (range?: { readonly start: number; readonly end: number }) => AsyncIterable<Uint8Array>;
  readonly close: () => Promise<void>;
}

/**
 * The files of repositories, for clients that take them one by one. Whoever may fetch may have any object that is
 * stored, whatever refs are hidden; refs are listed as for every service.
 * @returns `undefined` when there is no such file
 * @throws ServiceError with `reported` false
 */
export type DumbService = (call: DumbCall) => Promise<DumbContent | undefined>;
