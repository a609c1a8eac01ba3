import type { Terminal } from "../terminal.ts";

/** What happens at the end. */
export interface Ending {
  /** Called at the first signal: no more is taken, and what runs ends. */
  readonly close: () => Promise<void>;
  /** Called when what runs has not ended by then. Unit: milliseconds. */
  readonly late: () => void;
  readonly graceMs: number;
}

/**
 * Waits for the end. The first signal lets running requests end; the second does not wait for them.
 * @returns the exit status
 */
export function untilSignal(terminal: Terminal, { close, late, graceMs }: Ending): Promise<number> {
  return new Promise((done, failed) => {
    let ending = false;
    const stop = terminal.onSignal((status) => {
      const end = (result: number) => {
        stop();
        done(result);
      };
      if (ending) return end(status);
      ending = true;
      terminal.stdout.write("ending; once more to end at once\n");
      const timer = setTimeout(late, graceMs);
      close().then(() => {
        clearTimeout(timer);
        end(0);
      }, failed);
    });
  });
}
