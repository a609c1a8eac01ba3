import { afterEach, describe, expect, it, vi } from "vitest";
import { ProgressMeter } from "../src/make/progress-meter.ts";

const texts = (events: Iterable<{ kind: string; text?: string }>) =>
  Array.from(events, (event) => event.text);

describe("ProgressMeter", () => {
  afterEach(() => void vi.useRealTimers());

  it("speaks once a second, as git does", () => {
    vi.useFakeTimers();
    const meter = new ProgressMeter(true);
    expect(texts(meter.update("Counting objects", 5, 200))).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(texts(meter.update("Counting objects", 5, 200))).toEqual(["Counting objects:   2% (5/200)\r"]);
    expect(texts(meter.update("Counting objects", 6, 200))).toEqual([]);
    vi.advanceTimersByTime(1500);
    expect(texts(meter.update("Enumerating objects", 7))).toEqual(["Enumerating objects: 7\r"]);
    expect(texts(meter.done("Counting objects", 0, 0))).toEqual(["Counting objects: 100% (0/0), done.\n"]);
  });

  it("is silent when nobody listens", () => {
    const meter = new ProgressMeter(false);
    expect([...meter.done("x", 1), ...meter.text("y")]).toEqual([]);
  });
});
