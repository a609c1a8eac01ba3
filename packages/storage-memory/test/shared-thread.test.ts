import { describe, expect, it } from "vitest";
import { SharedThread } from "../src/shared-thread.ts";

/** Keeps the processor busy. */
function work(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

function* walk(steps: number, ms: number): Generator<undefined, string> {
  for (let i = 0; i < steps; i++) {
    work(ms);
    yield;
  }
  return "done";
}

describe("SharedThread", () => {
  it("lets others have the thread while it works", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    expect(await new SharedThread().run(walk(20, 10))).toBe("done");
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it("does not wait where there is little to do", async () => {
    let turns = 0;
    setTimeout(() => turns++, 0);
    const thread = new SharedThread();
    for (let i = 0; i < 100; i++) await thread.breathe();
    expect(turns).toBe(0);
  });

  it("ends when it has worked for too long; what others take does not count", async () => {
    const limit = { name: "maxWalkMs", maxMs: 100 };
    const error = { code: "objects/limit-exceeded", message: expect.stringContaining("maxWalkMs (100 ms)") };
    await expect(new SharedThread(undefined, limit).run(walk(100, 10))).rejects.toMatchObject(error);
    const patient = new SharedThread(undefined, limit);
    work(20);
    patient.pause();
    work(300);
    patient.resume();
    await patient.breathe();
    work(20);
    expect(() => patient.pause()).not.toThrow();
  });

  it("ends when it is called off, before or meanwhile", async () => {
    const reason = new Error("enough");
    expect(() => new SharedThread(AbortSignal.abort(reason))).toThrow(reason);
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 5);
    await expect(new SharedThread(controller.signal).run(walk(1000, 5))).rejects.toBe(reason);
  });
});
