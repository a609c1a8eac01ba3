import type { Writable } from "node:stream";

/** Waits until all that was written is out, or nobody reads it any more. A process that exits sooner loses the rest. */
export function flushed(stream: Writable): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once("error", () => resolve()).once("close", () => resolve());
    stream.write("", () => resolve());
  });
}
