import type { ObjectId } from "@x/objects";
import { encodePackets, flush } from "@x/pktline";
import type { GitServiceOptions, ServiceCall } from "../src/index.ts";
import { encodePack } from "./memory-objects.ts";
import type { MemoryRepository } from "./memory-repository.ts";
import { type Answer, bandsOf, packetsOf, serve } from "./story.ts";

/** A ref, and what it is to hold before and after; `undefined` for nothing. */
export type Command = readonly [ref: string, from: ObjectId | undefined, to: ObjectId | undefined];

/** How {@link push} goes about it. */
export interface PushOptions {
  readonly caps?: string;
  readonly pack?: Uint8Array | undefined;
  /** Packets before the commands. */
  readonly before?: readonly string[];
  /** Packets after their flush packet, with one of their own. */
  readonly pushOptions?: readonly string[];
  readonly call?: Partial<ServiceCall>;
  readonly service?: Partial<GitServiceOptions>;
}

/** A pack without objects, of the memory store. */
export const EMPTY_PACK: Uint8Array = encodePack([]);

/** A pushed commit that the repository does not have, and the pack that brings it. */
export function bring(
  repository: MemoryRepository,
  name: string,
  parents: readonly ObjectId[] = [],
): { readonly id: ObjectId; readonly pack: Uint8Array } {
  const id = repository.commit(name, parents);
  const tree = repository.tree(name);
  const objects = [id, tree, repository.blob(name)].map((one) => repository.lose(one));
  return { id, pack: encodePack(objects) };
}

/** `<old> <new> <ref>`. */
export function commandLine(repository: MemoryRepository, [ref, from, to]: Command): string {
  const zero = "0".repeat(repository.objectFormat === "sha1" ? 40 : 64);
  return `${from ?? zero} ${to ?? zero} ${ref}`;
}

/** Pushes as a client does, to the end of the answer. */
export function push(
  repository: MemoryRepository,
  commands: readonly Command[],
  options: PushOptions = {},
): Promise<Answer> {
  const {
    caps = "report-status-v2 side-band-64k",
    before = [],
    pushOptions,
    call = {},
    service = {},
  } = options;
  const lines = commands.map((command, i) => {
    const words = i === 0 ? `\0 ${caps} object-format=${repository.objectFormat}` : "";
    return commandLine(repository, command) + words;
  });
  const input = [encodePackets([...before, ...lines, flush])];
  if (pushOptions !== undefined) input.push(encodePackets([...pushOptions, flush]));
  const bringsPack = commands.some(([, , to]) => to !== undefined);
  if (bringsPack) input.push(options.pack ?? EMPTY_PACK);
  return serve(repository, { service: "git-receive-pack", version: 0, input, ...call, options: service });
}

/** The lines of the report between `unpack` and the flush packet. */
export function verdictsOf(answer: Answer): string[] {
  return packetsOf(bandsOf(answer.packets).data)
    .slice(1, -1)
    .map((line) => line.trimEnd());
}

/** What the user was shown. */
export function shownBy(answer: Answer): string {
  return bandsOf(answer.packets).progress.replace(/Unpacking objects.*\n/g, "");
}
