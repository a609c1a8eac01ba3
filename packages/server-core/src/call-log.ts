import type { ServiceError } from "./errors.ts";
import type { Logger } from "./ports.ts";
import type { ServiceCall } from "./service.ts";
import type { CallStats } from "./session.ts";

/** One line for each call, when it is over. */
export function logCall(
  logger: Logger | undefined,
  call: Omit<ServiceCall, "mode"> & { readonly mode: string },
  stats: CallStats & { readonly ms: number; readonly bytesIn: number },
  outcome: "ok" | "left" | ServiceError,
): void {
  if (logger === undefined) return;
  const failure = typeof outcome === "object" ? outcome : undefined;
  const reason = failure === undefined ? stats.reason : reasons(failure);
  const fields = {
    service: call.service,
    repository: escapeControls(call.repository),
    transport: call.transport,
    version: call.version,
    mode: call.mode,
    peer: call.peer.address,
    ...(call.peer.user === undefined ? {} : { user: escapeControls(call.peer.user) }),
    ...stats,
    outcome: failure?.code ?? outcome,
    ...(reason === undefined ? {} : { reason: escapeControls(reason) }),
  };
  if (failure?.code === "server-core/internal") logger.error({ ...fields, error: failure }, "request");
  else if (failure === undefined || failure.code === "server-core/aborted") logger.info(fields, "request");
  else logger.warn(fields, "request");
}

function reasons(error: ServiceError): string {
  const { cause } = error;
  return cause instanceof Error && cause.message !== error.message
    ? `${error.message}: ${cause.message}`
    : error.message;
}

/** Text of a peer in a form that cannot write lines of its own into a log. */
function escapeControls(text: string): string {
  const short = text.length > 1000 ? `${text.slice(0, 1000)}...` : text;
  return short.replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
