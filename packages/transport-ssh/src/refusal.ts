import { ServiceError } from "@x/server-core";
import { TransportSshError } from "./errors.ts";

/** A client's path is echoed up to here. Unit: UTF-16 code units. */
const MAX_ECHOED = 256;

/** An error's code, for the log. */
export function outcomeOf(error: unknown): string {
  if (error instanceof ServiceError || error instanceof TransportSshError) return error.code;
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" && code.startsWith("pktline/") ? code : "internal";
}

/** The client has been told already, within the protocol. */
export function isReported(error: unknown): boolean {
  return error instanceof ServiceError && error.reported;
}

/** What standard error says of a command that failed, in git's words; empty when the client has heard or cannot hear. */
export function wordsFor(error: unknown, path: string): string {
  if (isReported(error)) return "";
  const text = textOf(error, path);
  return text === undefined ? "" : `fatal: ${oneLine(text)}\n`;
}

function textOf(error: unknown, path: string): string | undefined {
  if (error instanceof TransportSshError)
    return error.code === "transport-ssh/gone" ? undefined : error.message;
  if (!(error instanceof ServiceError)) return "internal server error";
  switch (error.code) {
    case "server-core/repository-not-found":
    case "server-core/unauthenticated":
      return `'${path.slice(0, MAX_ECHOED)}' does not appear to be a git repository`;
    case "server-core/aborted":
      return "the server ended the connection";
    case "server-core/internal":
      return "internal server error";
    default:
      return error.message;
  }
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, "?");
}
