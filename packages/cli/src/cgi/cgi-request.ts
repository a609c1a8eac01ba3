import { posix } from "node:path";
import type { HttpRequest } from "@x/transport-http";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a web server says of a request. */
export interface CgiRequest {
  readonly method: string;
  /** The path and the query as a request line would have them. */
  readonly target: string;
  /** The directory that paths start from; `undefined` when they are whole. */
  readonly root: string | undefined;
  readonly header: HttpRequest["header"];
  /** How long the body is; `undefined` when it goes on to its end. Unit: bytes. */
  readonly contentLength: number | undefined;
  readonly protocol: string;
}

/**
 * Reads the environment that a web server makes for a CGI program.
 * @throws CliError `cli/fatal`, in git's words. Spec: RFC 3875, section 4.1; git-http-backend, "ENVIRONMENT"
 */
export function readCgiRequest(env: Environment): CgiRequest {
  const method = env.REQUEST_METHOD ?? "";
  if (method === "") throw new CliError("cli/fatal", "No REQUEST_METHOD from server");
  const { root, path } = placeOf(env);
  const query = env.QUERY_STRING ?? "";
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return {
    method,
    target: query === "" ? encoded : `${encoded}?${query}`,
    root,
    header: headersOf(env),
    contentLength: contentLengthOf(env.CONTENT_LENGTH ?? ""),
    // Whoever does not say speaks as they did before anybody had to.
    protocol: env.SERVER_PROTOCOL ?? "HTTP/1.0",
  };
}

function placeOf(env: Environment): { readonly root: string | undefined; readonly path: string } {
  const { GIT_PROJECT_ROOT: root = "", PATH_INFO: info = "", PATH_TRANSLATED: translated = "" } = env;
  if (root !== "") {
    if (info === "") throw new CliError("cli/fatal", "GIT_PROJECT_ROOT is set but PATH_INFO is not");
    if (isAlias(info)) throw new CliError("cli/fatal", `'${printable(info)}': aliased`);
    return { root, path: info };
  }
  if (translated === "")
    throw new CliError("cli/fatal", "No GIT_PROJECT_ROOT or PATH_TRANSLATED from server");
  // The web server has made this path itself, and vouches for it.
  return { root: undefined, path: posix.resolve(translated) };
}

/** Whether a path may be another one's by another name. Spec: git-daemon, "--strict-paths" */
function isAlias(path: string): boolean {
  return !path.startsWith("/") || /\/(?:\.{0,2})(?:\/|$)/.test(path.replace(/\/$/, ""));
}

function headersOf(env: Environment): HttpRequest["header"] {
  return (name) => {
    // Who is there the web server has found out already.
    if (name === "authorization") return undefined;
    if (name === "content-type") return env.CONTENT_TYPE;
    if (name === "content-length") return env.CONTENT_LENGTH || undefined;
    if (name === "git-protocol" && env.GIT_PROTOCOL !== undefined) return env.GIT_PROTOCOL;
    return env[`HTTP_${name.toUpperCase().replaceAll("-", "_")}`];
  };
}

function contentLengthOf(text: string): number | undefined {
  if (text === "") return undefined;
  const length = /^[0-9]{1,19}$/.test(text) && BigInt(text) < 2n ** 63n ? Number(text) : Number.NaN;
  if (Number.isNaN(length))
    throw new CliError("cli/fatal", `failed to parse CONTENT_LENGTH: ${printable(text)}`);
  return length;
}
