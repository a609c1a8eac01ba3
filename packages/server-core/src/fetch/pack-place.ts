import type { PackRequest } from "@x/objects";
import type { PackPlace } from "../admission/pack-gate.ts";
import { ServiceError } from "../errors.ts";
import { startPhase } from "../metrics.ts";
import type { Session } from "../session.ts";

const FREE: PackPlace = { isIn: () => true, wait: async () => true, leave() {} };

/**
 * Asks for leave to make a pack, and waits a little before anything more is sent: so who is turned away at once can still
 * be told by a status. A pack that is known to be empty needs none.
 * @throws ServiceError `server-core/busy`
 */
export async function enterPackGate(session: Session, order: PackRequest): Promise<PackPlace> {
  const { gate, repository, signal, limits, call, stats } = session;
  const had = new Set(order.haves);
  const isEmpty = !order.shallow?.length && order.wants.every((id) => had.has(id));
  if (isEmpty) return FREE;
  try {
    const place = gate.enter(repository.objects, signal);
    return place.isIn() ? place : await queued(session, place, limits.keepaliveMs);
  } catch (error) {
    const isBusy = error instanceof ServiceError && error.code === "server-core/busy";
    if (isBusy && call.mode === "rpc" && stats.bytesOut === 0) session.channel = { kind: "transport" };
    throw error;
  }
}

/** `place`, with its time in the line told of. */
async function queued({ metrics }: Session, place: PackPlace, patienceMs: number): Promise<PackPlace> {
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
