import { encodeLatin1 } from "@x/pktline";
import type { Repository } from "../ports.ts";
import { RefScope } from "../visible/ref-scope.ts";
import { VisibleRefs } from "../visible/visibility.ts";

/** Chunks are at most so long, but for one line. Unit: bytes. */
const CHUNK = 48 * 1024;

/** How what clients of dumb transports read is made. */
export interface DumbListingOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears of refs that lead nowhere, and are passed over. */
  readonly onBroken?: ((name: string) => void) | undefined;
}

/**
 * What `info/refs` says: the refs that anybody who fetches may see, with what their tags peel to; without HEAD.
 * Spec: gitrepository-layout, "info/refs"; gitprotocol-http, "Dumb Clients".
 */
export async function* generateInfoRefs(
  repository: Repository,
  options: DumbListingOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  let text = "";
  for await (const batch of refsOf(repository, options).list({ peel: true, signal: options.signal })) {
    for (const { name, id, peeled } of batch) {
      text += peeled === undefined ? `${id}\t${name}\n` : `${id}\t${name}\n${peeled}\t${name}^{}\n`;
      if (text.length < CHUNK) continue;
      yield encodeLatin1(text);
      text = "";
    }
  }
  if (text !== "") yield encodeLatin1(text);
}

/** What `HEAD` says: where it leads, or what it holds; nothing when it leads nowhere that can be seen. */
export async function generateHead(
  repository: Repository,
  options: DumbListingOptions = {},
): Promise<Uint8Array> {
  const { target, ref } = await refsOf(repository, options).head({ signal: options.signal });
  if (ref === undefined) return new Uint8Array(0);
  return encodeLatin1(target === undefined ? `${ref.id}\n` : `ref: ${target}\n`);
}

/**
 * What `objects/info/packs` says: the repository's own packs; none where its files cannot be had.
 * Spec: gitrepository-layout, "objects/info/packs".
 */
export async function generateObjectsInfoPacks(repository: Repository): Promise<Uint8Array> {
  const packs = (await repository.files?.packs()) ?? [];
  return encodeLatin1(`${packs.map((checksum) => `P pack-${checksum}.pack\n`).join("")}\n`);
}

function refsOf(repository: Repository, { onBroken }: DumbListingOptions): VisibleRefs {
  const scope = new RefScope(repository, "uploadpack");
  return new VisibleRefs(repository, onBroken === undefined ? { scope } : { scope, onBroken });
}
