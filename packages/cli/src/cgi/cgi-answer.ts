import { once } from "node:events";
import type { Writable } from "node:stream";
import type { HttpAnswer } from "@x/transport-http";

const REASONS: ReadonlyMap<number, string> = new Map([
  [204, "No Content"],
  [206, "Partial Content"],
  [304, "Not Modified"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [408, "Request Timeout"],
  [413, "Content Too Large"],
  [415, "Unsupported Media Type"],
  [416, "Range Not Satisfiable"],
  [429, "Too Many Requests"],
  [500, "Internal Server Error"],
  [503, "Service Unavailable"],
]);

const NAMES: ReadonlyMap<string, string> = new Map([
  ["etag", "ETag"],
  ["www-authenticate", "WWW-Authenticate"],
]);

/** The head of an answer as CGI has it; without a status all is well. Spec: RFC 3875, section 6 */
function formatHead({ status, headers }: Pick<HttpAnswer, "status" | "headers">): string {
  const lines = status === 200 ? [] : [`Status: ${status} ${REASONS.get(status) ?? "Other"}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${spelled(name)}: ${value}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function spelled(name: string): string {
  return NAMES.get(name) ?? name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

/**
 * An answer as git-http-backend gives it: its refusals are a status alone, but for that of a wrong content type. What
 * there is to say of them stands in the web server's log.
 */
export function asGitAnswers(answer: HttpAnswer): HttpAnswer {
  if (answer.status < 400) return answer;
  const said = new Set(["content-type", "content-length", "x-content-type-options"]);
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !said.has(name)));
  return { ...answer, headers, body: answer.status === 415 ? answer.body : undefined };
}

/**
 * Writes an answer as fast as it is read.
 * @throws what broke it, or the signal's reason
 */
export async function writeAnswer(answer: HttpAnswer, stdout: Writable, signal: AbortSignal): Promise<void> {
  await write(stdout, Buffer.from(formatHead(answer), "latin1"), signal);
  const { body } = answer;
  if (body === undefined) return;
  if (body instanceof Uint8Array) return write(stdout, body, signal);
  for await (const chunk of body) await write(stdout, chunk, signal);
}

async function write(stdout: Writable, chunk: Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!stdout.write(chunk)) await once(stdout, "drain", { signal });
}
