import { encodePackets, PktLineError } from "@x/pktline";
import { ServiceError } from "@x/server-core";
import { TransportTcpError } from "./errors.ts";

/** A client's path is echoed up to here. Unit: bytes. */
const MAX_ECHOED_BYTES = 256;
/** Far more than any message of ours. Unit: bytes. */
const MAX_TEXT_BYTES = 1000;
/** C git's daemon says it in these words. */
const ACCESS_DENIED = "access denied or repository not exported";

/** An error's code, for the log. */
export function outcomeOf(error: unknown): string {
  const known =
    error instanceof PktLineError || error instanceof ServiceError || error instanceof TransportTcpError;
  return known ? error.code : "internal";
}

/**
 * The last packet for a client whose request failed with `error`; `undefined` when it has been told, or cannot be.
 * Absent, forbidden and switched off read the same, unless `informative`.
 */
export function refusalPacket(error: unknown, path: string, informative: boolean): Uint8Array | undefined {
  const text = refusalText(error, path, informative);
  return text === undefined
    ? undefined
    : encodePackets([truncateUtf8(`ERR ${oneLine(text)}`, MAX_TEXT_BYTES)]);
}

function refusalText(error: unknown, path: string, informative: boolean): string | undefined {
  const denied = (reason: string) => `${informative ? reason : ACCESS_DENIED}: ${echoed(path)}`;
  if (error instanceof PktLineError) return `protocol error: ${error.message}`;
  if (error instanceof TransportTcpError) {
    if (error.code === "transport-tcp/refused") return denied(error.message);
    return error.code === "transport-tcp/gone" ? undefined : error.message;
  }
  if (!(error instanceof ServiceError)) return "internal server error";
  if (error.reported) return undefined;
  switch (error.code) {
    case "server-core/repository-not-found":
      return denied(error.message);
    case "server-core/service-disabled":
      return denied("service not enabled");
    case "server-core/unauthenticated":
    case "server-core/forbidden":
      return denied(error.message);
    case "server-core/aborted":
      return "the server ended the connection";
    case "server-core/internal":
      return "internal server error";
    default:
      return error.message;
  }
}

function echoed(path: string): string {
  return new TextDecoder().decode(truncateUtf8(path, MAX_ECHOED_BYTES));
}

/** Never cuts inside a character. */
function truncateUtf8(text: string, maxBytes: number): Uint8Array {
  const bytes = new Uint8Array(maxBytes);
  return bytes.subarray(0, new TextEncoder().encodeInto(text, bytes).written);
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
