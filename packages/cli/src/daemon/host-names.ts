import { promises as dns } from "node:dns";
import type { HostNames } from "@x/storage-fs";

/** Names are followed through so many others. */
const MAX_ALIASES = 8;
/** Unit: milliseconds. */
const TIMEOUT_MS = 2000;

/** What the system knows of a host that a client names; `undefined` when it does not know it. */
export async function lookUpHost(host: string): Promise<HostNames | undefined> {
  if (host === "") return undefined;
  try {
    const { address } = await dns.lookup(host);
    return { canonicalHost: host === address ? address : await canonicalNameOf(host), address };
  } catch {
    return undefined;
  }
}

async function canonicalNameOf(host: string): Promise<string> {
  const resolver = new dns.Resolver({ timeout: TIMEOUT_MS, tries: 1 });
  let name = host;
  for (let aliases = 0; aliases < MAX_ALIASES; aliases++) {
    const [next] = await resolver.resolveCname(name).catch(() => []);
    if (next === undefined) break;
    name = next;
  }
  return name;
}
