import { type ObjectFormat, zeroId } from "@x/objects";
import { bytesFromByteString, type RefTarget, type StagedRefChange } from "@x/refs";
import type { PushCommand } from "@x/server-core";

/** What a hook reads, made anew for each that reads it. */
export type HookInput = () => Iterable<Uint8Array>;

/** Lines that are written at once. */
const LINES = 512;

/** What pre-receive and post-receive read: `old new ref`. Spec: githooks, "pre-receive". */
export function commandLines(commands: readonly PushCommand[]): HookInput {
  return () => inChunks(commands, ({ oldId, newId, ref }) => `${oldId} ${newId} ${ref}\n`);
}

/** What reference-transaction reads. Spec: githooks, "reference-transaction". */
export function changeLines(changes: readonly StagedRefChange[], format: ObjectFormat): HookInput {
  const value = (target: RefTarget | "absent" | undefined): string => {
    if (target === undefined || target === "absent") return zeroId(format);
    return target.kind === "id" ? target.id : `ref:${target.name}`;
  };
  return () => inChunks(changes, ({ name, from, to }) => `${value(from)} ${value(to)} ${name}\n`);
}

function* inChunks<T>(
  items: readonly T[],
  line: (item: T) => string,
): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < items.length; at += LINES)
    yield bytesFromByteString(
      items
        .slice(at, at + LINES)
        .map(line)
        .join(""),
    );
}
