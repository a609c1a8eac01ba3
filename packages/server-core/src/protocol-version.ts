import type { ProtocolVersion } from "./service.ts";

const KNOWN: ReadonlyMap<string, ProtocolVersion> = new Map([
  ["version=0", 0],
  ["version=1", 1],
  ["version=2", 2],
]);

/**
 * The version that a client asks for: the highest known one of all `version=N` among keys with colons between them,
 * as in the `Git-Protocol` header and in `GIT_PROTOCOL`. Whatever else it says is passed over.
 * Spec: gitprotocol-v2, "Initial Client Request".
 */
export function protocolVersion(text: string | null | undefined): ProtocolVersion {
  let version: ProtocolVersion = 0;
  for (const key of (text ?? "").split(":")) {
    const asked = KNOWN.get(key) ?? 0;
    if (asked > version) version = asked;
  }
  return version;
}
