import type { PackRequest } from "@x/objects";
import { ServiceError } from "../errors.ts";
import { startPhase } from "../metrics.ts";
import type { Session } from "../session.ts";
import type { PackGate, PackPlace } from "./pack-gate.ts";

const FREE: PackPlace = { isIn: () => true, wait: async () => true, leave() {} };

/** Asks for leave to make a pack. One that is known to be empty needs none. @see enterGate */
export async function enterPackGate(session: Session, order: PackRequest): Promise<PackPlace> {
  const had = new Set(order.haves);
  const isEmpty = !order.shallow?.length && order.wants.every((id) => had.has(id));
  return isEmpty ? FREE : enterGate(session, session.gate, session.limits.keepaliveMs);
}

/**
 * Asks for leave, and waits a little before anything more is sent: so who is turned away by then can still be told by a
 * status.
 * @param patienceMs when not given, waits until leave is there. Unit: milliseconds.
 * @throws ServiceError `server-core/busy`
 */
export async function enterGate(session: Session, gate: PackGate, patienceMs?: number): Promise<PackPlace> {
  const { repository, signal, call, stats } = session;
  try {
    const place = gate.enter(repository.objects, signal);
    return place.isIn() ? place : await queued(session, place, patienceMs);
  } catch (error) {
    const isBusy = error instanceof ServiceError && error.code === "server-core/busy";
    if (isBusy && call.mode === "rpc" && stats.bytesOut === 0) session.channel = { kind: "transport" };
    throw error;
  }
}

/** `place`, with its time in the line told of. */
async function queued(
  { metrics }: Session,
  place: PackPlace,
  patienceMs: number | undefined,
): Promise<PackPlace> {
  metrics.waiting(1);
  const endPhase = startPhase(metrics, "queue");
  let isOver = false;
  const stop = () => {
    if (isOver) return;
    isOver = true;
    metrics.waiting(-1);
    endPhase();
  };
  const told: PackPlace = {
    isIn: place.isIn,
    async wait(ms) {
      const isIn = await place.wait(ms);
      if (isIn) stop();
      return isIn;
    },
    leave() {
      stop();
      place.leave();
    },
  };
  try {
    await told.wait(patienceMs);
    return told;
  } catch (error) {
    told.leave();
    throw error;
  }
}
