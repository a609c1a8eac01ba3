import type { Session } from "../session.ts";

/**
 * Reads what is left of a push that was answered early, and forgets it: an HTTP client that cannot send all of its body
 * does not look at the answer. What is beyond `maxDiscardBytes` is left to the transport, and so are connections, whose
 * clients read while they send.
 */
export async function discardRest({ call, input, limits }: Session): Promise<void> {
  if (call.mode !== "rpc") return;
  let bytes = 0;
  for await (const chunk of input.rest()) {
    bytes += chunk.length;
    if (bytes > limits.maxDiscardBytes) return;
  }
}
