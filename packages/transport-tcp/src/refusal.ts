import { encodePackets, PktLineError } from "@x/pktline";
import { ServiceError } from "@x/server-core";
import { TransportTcpError } from "./errors.ts";

/** A client's path is echoed up to here. Unit: bytes. */
const MAX_ECHOED_BYTES = 256;
/** Far more than any message of ours. Unit: bytes. */
const MAX_TEXT_BYTES = 1000;

/** An error's code, for the log. */
export function outcomeOf(error: unknown): string {
  const known =
    error instanceof PktLineError || error instanceof ServiceError || error instanceof TransportTcpError;
  return known ? error.code : "internal";
}

/**
 * The last packet for a client whose request failed with `error`; `undefined` when it has been told, or cannot be.
 * Absent, forbidden and switched off read the same.
 */
export function refusalPacket(error: unknown, path: string): Uint8Array | undefined {
  const text = refusalText(error, path);
  return text === undefined
    ? undefined
    : encodePackets([truncateUtf8(`ERR ${oneLine(text)}`, MAX_TEXT_BYTES)]);
}

function refusalText(error: unknown, path: string): string | undefined {
  if (error instanceof PktLineError) return `protocol error: ${error.message}`;
  if (error instanceof TransportTcpError)
    return error.code === "transport-tcp/gone" ? undefined : error.message;
  if (!(error instanceof ServiceError)) return "internal server error";
  if (error.reported) return undefined;
  switch (error.code) {
    case "server-core/repository-not-found":
    case "server-core/service-disabled":
    case "server-core/unauthenticated":
    case "server-core/forbidden":
      return accessDenied(path);
    case "server-core/aborted":
      return "the server ended the connection";
    case "server-core/internal":
      return "internal server error";
    default:
      return error.message;
  }
}

function accessDenied(path: string): string {
  const echoed = new TextDecoder().decode(truncateUtf8(path, MAX_ECHOED_BYTES));
  return `access denied or repository not exported: ${echoed}`;
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
