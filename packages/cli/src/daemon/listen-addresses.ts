import { promises as dns } from "node:dns";
import type { ListenAddress } from "@x/transport-tcp";
import type { DaemonLog } from "./daemon-log.ts";

/** The addresses that names on the command line stand for: any of this machine when there is none. */
export async function listenAddresses(
  names: readonly string[],
  port: number,
  log: Pick<DaemonLog, "error">,
): Promise<readonly ListenAddress[]> {
  if (names.length === 0)
    return [
      { host: "0.0.0.0", port },
      { host: "::", port, ipv6Only: true },
    ];
  const addresses: ListenAddress[] = [];
  for (const name of names)
    try {
      for (const { address } of await dns.lookup(name.replace(/^\[(.*)\]$/, "$1"), { all: true }))
        addresses.push({ host: address, port, ipv6Only: true });
    } catch (error) {
      log.error(`getaddrinfo() for ${name} failed: ${error instanceof Error ? error.message : error}`);
      log.error(`unable to allocate any listen sockets for host ${name} on port ${port}`);
    }
  return addresses;
}
