import { availableParallelism } from "node:os";
import { openInlineLink, openThreadLink } from "./worker-link.ts";
import { WorkerThread } from "./worker-thread.ts";

/** Quick questions never wait behind long walks: each kind has workers of its own. */
type Lane = "light" | "heavy";

/** How many threads a pool may have. */
export interface WorkerPoolOptions {
  /** Workers for walks, packs and pushes; as many as the machine has processors when not given. */
  readonly heavyWorkers?: number;
  /** One worker for everything. */
  readonly shared?: boolean;
  /** No thread at all: one worker in this one, for a process that serves one request and ends. */
  readonly inline?: boolean;
  /** Hears of what a worker found broken and can do without. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** The worker threads that all repositories of a process share. They are started when first needed. */
export interface WorkerPool {
  /** The worker of a lane that has the least to do. */
  pick(lane: Lane): WorkerThread;
  /** Starts the first worker of each lane, so that the first client need not wait for that. */
  warm(): void;
  /** Every worker that is running. */
  running(): readonly WorkerThread[];
  /** Ends all workers, whatever they are doing. */
  close(): Promise<void>;
}

/** @see WorkerPool */
export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const heavyWorkers = options.heavyWorkers ?? availableParallelism();
  const shared = options.shared === true || options.inline === true;
  const lanes: Record<Lane, WorkerThread[]> = { light: [], heavy: [] };
  const sizes: Record<Lane, number> = { light: 1, heavy: shared ? 1 : heavyWorkers };
  let closed = false;
  const pool: WorkerPool = {
    pick(lane) {
      if (closed) throw new Error("the worker pool is closed");
      const name: Lane = shared ? "heavy" : lane;
      const threads = lanes[name].filter((thread) => thread.alive);
      lanes[name] = threads;
      const idle = threads.find((thread) => thread.jobs === 0);
      if (idle !== undefined) return idle;
      if (threads.length < sizes[name]) {
        const openLink = options.inline ? openInlineLink : openThreadLink;
        const thread = new WorkerThread(openLink, options.onWarning ?? (() => {}));
        threads.push(thread);
        return thread;
      }
      return threads.reduce((least, thread) => (thread.jobs < least.jobs ? thread : least));
    },
    warm() {
      pool.pick("light");
      pool.pick("heavy");
    },
    running: () => [...lanes.light, ...lanes.heavy].filter((thread) => thread.alive),
    async close() {
      closed = true;
      await Promise.all([...lanes.light, ...lanes.heavy].map((thread) => thread.terminate()));
    },
  };
  return pool;
}
