import { describe, expect, it } from "vitest";
import { InputPace } from "../src/index.ts";

const PATIENCE = { readIdleMs: 60_000, slowGraceMs: 300_000, minBytesPerSecond: 1000 };
const IDLE = "the client did not send anything for 60000 ms";
const SLOW = "the client sent less than 1000 bytes a second";

describe("InputPace", () => {
  it("lets a client be silent, but not for ever by a byte at a time", () => {
    const pace = new InputPace(PATIENCE);
    for (let minute = 0; minute < 4; minute++) {
      expect(pace.nextWait()).toEqual({ ms: 60_000, why: IDLE });
      pace.waited(60_000);
      pace.came(1);
    }
    expect(pace.nextWait()).toEqual({ ms: 60_000, why: IDLE });
    pace.waited(59_000);
    expect(pace.nextWait()).toEqual({ ms: 1004, why: SLOW });
    pace.waited(2000);
    expect(pace.nextWait()).toEqual({ ms: 0, why: SLOW });
  });

  it("waits another second for each thousand bytes", () => {
    const pace = new InputPace(PATIENCE);
    pace.waited(300_000);
    expect(pace.nextWait().ms).toBe(0);
    pace.came(20_000);
    expect(pace.nextWait()).toEqual({ ms: 20_000, why: SLOW });
    pace.came(1_000_000);
    expect(pace.nextWait()).toEqual({ ms: 60_000, why: IDLE });
  });

  it("goes by what holds at the moment", () => {
    const patience = { ...PATIENCE };
    const pace = new InputPace(patience);
    patience.readIdleMs = 10;
    expect(pace.nextWait().ms).toBe(10);
  });

  it("asks no speed where there is no limit", () => {
    const pace = new InputPace({ ...PATIENCE, slowGraceMs: Number.POSITIVE_INFINITY });
    pace.waited(1e12);
    expect(pace.nextWait()).toEqual({ ms: 60_000, why: IDLE });
  });
});
