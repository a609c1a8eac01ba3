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
    ? () => performance.now()
    : () => {
        const { user, system } = usage();
        return (user + system) / 1000;
      };
