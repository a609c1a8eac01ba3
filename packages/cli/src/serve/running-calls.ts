import type { CallMetrics, Metrics } from "@x/server-core";

/** Knows which calls run. */
export interface RunningCalls {
  /** Hears of calls, and passes on what it hears. */
  readonly metrics: Metrics;
  /** Waits until none runs, but not longer than `ms`: a call that was aborted puts away what it had begun. */
  idle(ms: number): Promise<void>;
}

/** @param next hears of calls too */
export function trackCalls(next: Metrics | undefined): RunningCalls {
  let running = 0;
  const waiting = new Set<() => void>();
  const ended = () => {
    if (--running > 0) return;
    for (const wake of waiting) wake();
    waiting.clear();
  };
  return {
    metrics: {
      connectionRefused: (labels) => next?.connectionRefused?.(labels),
      call(labels) {
        running++;
        const inner = next?.call(labels);
        const call: CallMetrics = {
          phase: (phase, ms) => inner?.phase(phase, ms),
          waiting: (change) => inner?.waiting(change),
          packSent: (summary) => inner?.packSent(summary),
          packTaken: (receipt) => inner?.packTaken(receipt),
          end(result) {
            inner?.end(result);
            ended();
          },
        };
        return call;
      },
    },
    async idle(ms) {
      if (running === 0) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
    },
  };
}
