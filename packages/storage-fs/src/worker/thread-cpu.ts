import { closeSync, openSync, readSync } from "node:fs";

/** Node 23.9 and later know what a thread costs. Unit: microseconds. */
const usage = (
  process as { threadCpuUsage?: () => { readonly user: number; readonly system: number } }
).threadCpuUsage?.bind(process);

/**
 * A clock to measure work by that does not wait: the processor time of this thread, or where that cannot be known the
 * time of day. Unit: milliseconds.
 */
export const threadCpuMs: () => number =
  usage === undefined
    ? (readsScheduler() ?? (() => performance.now()))
    : () => {
        const { user, system } = usage();
        return (user + system) / 1000;
      };

/**
 * Linux tells any Node: `8612345 4517 2`, of which the first is nanoseconds. It is a tick behind at most. The file stays
 * open, and stays this thread's; asking takes some microseconds.
 */
function readsScheduler(): (() => number) | undefined {
  try {
    const file = openSync("/proc/thread-self/schedstat", "r");
    const text = Buffer.alloc(64);
    const read = () =>
      Number(text.toString("latin1", 0, readSync(file, text, 0, text.length, 0)).split(" ")[0]) / 1e6;
    if (read() > 0) return read;
    closeSync(file);
  } catch {
    // no Linux, or one that does not count
  }
  return undefined;
}
