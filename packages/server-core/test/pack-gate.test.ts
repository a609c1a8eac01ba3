import { describe, expect, it } from "vitest";
import { PackGate, type PackGateLimits } from "../src/admission/pack-gate.ts";

const A = {};
const B = {};
const NEVER = new AbortController().signal;

function gateOf(limits: Partial<PackGateLimits> = {}): PackGate {
  return new PackGate({
    maxPacks: 2,
    maxPacksPerRepository: 2,
    maxQueuedPacks: 10,
    maxPackWaitMs: 60_000,
    ...limits,
  });
}

const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

describe("PackGate", () => {
  it("lets so many in, and the others in their order as those leave", async () => {
    const gate = gateOf();
    const places = [1, 2, 3, 4].map(() => gate.enter(A, NEVER));
    expect(places.map((place) => place.isIn())).toEqual([true, true, false, false]);
    places[1]?.leave();
    places[1]?.leave();
    await expect(places[2]?.wait()).resolves.toBe(true);
    expect(places[3]?.isIn()).toBe(false);
    places[2]?.leave();
    expect(places[3]?.isIn()).toBe(true);
  });

  it("keeps one repository from taking the places of all", () => {
    const gate = gateOf({ maxPacks: 3 });
    const a = [1, 2, 3, 4].map(() => gate.enter(A, NEVER));
    expect(a.map((place) => place.isIn())).toEqual([true, true, false, false]);
    const b = gate.enter(B, NEVER);
    const late = gate.enter(B, NEVER);
    expect([b.isIn(), late.isIn()]).toEqual([true, false]);
    // The longest-waiting are at their repository's cap still.
    b.leave();
    expect([late.isIn(), a[2]?.isIn()]).toEqual([true, false]);
    a[0]?.leave();
    expect([a[2]?.isIn(), a[3]?.isIn()]).toEqual([true, false]);
  });

  it("turns away whoever finds the line full", () => {
    const gate = gateOf({ maxPacks: 1, maxQueuedPacks: 1 });
    gate.enter(A, NEVER);
    const waiting = gate.enter(A, NEVER);
    expect(() => gate.enter(A, NEVER)).toThrow(
      expect.objectContaining({ code: "server-core/busy", retryAfterMs: 30_000 }),
    );
    waiting.leave();
    expect(gate.enter(A, NEVER).isIn()).toBe(false);
  });

  it("turns away whoever has waited too long", async () => {
    const gate = gateOf({ maxPacks: 1, maxPackWaitMs: 5 });
    const first = gate.enter(A, NEVER);
    await expect(gate.enter(A, NEVER).wait()).rejects.toMatchObject({
      code: "server-core/busy",
      message: "the server is busy: no pack could be made for 1 seconds; try again later",
      retryAfterMs: 5,
    });
    first.leave();
    expect(gate.enter(A, NEVER).isIn()).toBe(true);
  });

  it("says after a while whether leave is there, and goes on waiting", async () => {
    const gate = gateOf({ maxPacks: 1 });
    const first = gate.enter(A, NEVER);
    const second = gate.enter(A, NEVER);
    expect(await second.wait(1)).toBe(false);
    expect(await second.wait(1)).toBe(false);
    first.leave();
    expect(await second.wait(1)).toBe(true);
  });

  it("drops at once who is called off, in the line and before it", async () => {
    const gate = gateOf({ maxPacks: 1, maxQueuedPacks: 1 });
    const first = gate.enter(A, NEVER);
    const off = new AbortController();
    const waiting = gate.enter(A, off.signal).wait();
    off.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    const next = gate.enter(A, NEVER);
    await expect(gateOf({ maxPacks: 0 }).enter(A, off.signal).wait()).rejects.toThrow("gone");
    first.leave();
    expect(await next.wait()).toBe(true);
  });

  it("passes a place on that nobody came to take", async () => {
    const gate = gateOf({ maxPacks: 1 });
    const first = gate.enter(A, NEVER);
    const second = gate.enter(A, NEVER);
    const third = gate.enter(A, NEVER);
    first.leave();
    second.leave();
    await tick();
    expect(third.isIn()).toBe(true);
  });
});
