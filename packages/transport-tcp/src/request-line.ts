import { isIPv6 } from "node:net";
import { TransportTcpError } from "./errors.ts";

/** What a client of git:// says first. */
export interface RequestLine {
  /** For example `git-upload-pack`; any service name can be asked for. */
  readonly service: string;
  /** As written, UTF-8 decoded. Untrusted. */
  readonly path: string;
  /** The name under which the client reached the server, without its port. Untrusted. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** The extra parameters in order, for example `version=2`. */
  readonly parameters: readonly string[];
}

/*
 *   git-upload-pack /project.git [LF] NUL host=example.com:9418 NUL NUL version=2 NUL
 *   └ service ────┘ └ path ────┘          └ host ─────┘ └port┘          └ parameters
 */
const COMMAND = /^(git-[a-z]+(?:-[a-z]+){0,4}) (.+)$/;
const HOST = /^(\[[^\][]*\]|[^\][:]*)(?::([0-9]{1,5}))?$/;

/**
 * Reads the payload of the one packet that a client of git:// sends. Strict: what C git's daemon takes, and no more.
 * Spec: gitprotocol-pack, "Git Transport".
 * @throws TransportTcpError `transport-tcp/bad-request-line`
 */
export function parseRequestLine(payload: Uint8Array): RequestLine {
  const [command = "", first = "", ...others] = decodeUtf8(payload).split("\0");
  const match = COMMAND.exec(command.endsWith("\n") ? command.slice(0, -1) : command);
  if (match === null) throw bad("it does not start with a service and a path");
  const [, service = "", path = ""] = match;
  const parameters = others.filter((text) => text !== "");
  if ([path, first, ...parameters].some(hasControlCharacter)) throw bad("it has a control character");
  // The empty string between host and parameters keeps old servers from reading them.
  if (first !== "" && others.length > 0 && others[0] !== "")
    throw bad("something stands right behind the host");
  return { service, path, ...parseHost(first), parameters };
}

function parseHost(text: string): { readonly host?: string; readonly port?: number } {
  if (text === "") return {};
  if (!/^host=/i.test(text)) throw bad("its host is not one");
  const value = text.slice("host=".length);
  // Some clients leave the brackets away.
  if (isIPv6(value)) return { host: value };
  const match = HOST.exec(value);
  if (match === null) throw bad("its host is not one");
  const [, host = "", digits] = match;
  if (digits === undefined) return { host };
  const port = Number(digits);
  if (port > 65535) throw bad("its port is not one");
  return { host, port };
}

/**
 * Writes a request line: the payload of one packet.
 * @throws TransportTcpError `transport-tcp/bad-request-line` when it could not be read again
 */
export function formatRequestLine(line: RequestLine): Uint8Array {
  const host =
    line.host === undefined ? "" : `host=${line.host}${line.port === undefined ? "" : `:${line.port}`}\0`;
  const parameters =
    line.parameters.length === 0 ? "" : `\0${line.parameters.map((text) => `${text}\0`).join("")}`;
  const payload = new TextEncoder().encode(`${line.service} ${line.path}\0${host}${parameters}`);
  const read = valuesOf(parseRequestLine(payload));
  const meant = valuesOf(line);
  if (read.length !== meant.length || read.some((value, i) => value !== meant[i]))
    throw bad("it would be read as another one");
  return payload;
}

function valuesOf(line: RequestLine): readonly unknown[] {
  return [line.service, line.path, line.host, line.port, ...line.parameters];
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw bad("it is not UTF-8", cause);
  }
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

function bad(why: string, cause?: unknown): TransportTcpError {
  return new TransportTcpError("transport-tcp/bad-request-line", `bad request line: ${why}`, { cause });
}
