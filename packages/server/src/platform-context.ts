import type { FetchContext } from "@x/transport-http";

/**
 * What runtimes pass beside a request, as far as it is of use: a {@link FetchContext}, Deno's `{ remoteAddr }`, Bun's
 * server. Whatever else it is, such as a Worker's bindings, is passed over.
 */
export function contextOf(request: Request, platform: unknown): FetchContext {
  if (typeof platform !== "object" || platform === null) return {};
  const { peer, rawTarget, remoteAddr, requestIP } = platform as Partial<Record<string, unknown>>;
  if (typeof rawTarget === "string" || isPeer(peer))
    return { ...(typeof rawTarget === "string" && { rawTarget }), ...(isPeer(peer) && { peer }) };
  const address = textIn(remoteAddr, "hostname") ?? addressOf(platform, requestIP, request);
  return address === undefined ? {} : { peer: { address } };
}

function isPeer(value: unknown): value is NonNullable<FetchContext["peer"]> {
  if (typeof value !== "object" || value === null) return false;
  const { address, user } = value as Partial<Record<string, unknown>>;
  return typeof address === "string" || typeof user === "string";
}

function addressOf(server: object, requestIP: unknown, request: Request): string | undefined {
  if (typeof requestIP !== "function") return undefined;
  try {
    return textIn(requestIP.call(server, request), "address");
  } catch {
    return undefined; // the client has left
  }
}

function textIn(value: unknown, key: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = (value as Partial<Record<string, unknown>>)[key];
  return typeof found === "string" ? found : undefined;
}
