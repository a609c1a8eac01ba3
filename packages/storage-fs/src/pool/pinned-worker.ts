import type { WorkerPool } from "./worker-pool.ts";
import type { WorkerThread } from "./worker-thread.ts";

/** What asks workers of a pool. */
export type WorkerPicker = Pick<WorkerPool, "pick" | "running">;

/**
 * Stays with the worker that was picked first, as long as that lives: it alone opens what is asked about, and no other has
 * to be woken.
 */
export function pinWorker(pool: WorkerPicker): WorkerPicker {
  const used: WorkerThread[] = [];
  const running = () => used.filter((thread) => thread.alive);
  return {
    pick() {
      const [thread = pool.pick("heavy")] = running();
      if (!used.includes(thread)) used.push(thread);
      return thread;
    },
    running,
  };
}
