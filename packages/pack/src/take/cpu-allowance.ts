import type { ReceiveLimits } from "@x/objects";

/** How far a pack has come in. */
interface Arrival {
  /** Unit: bytes. */
  readonly receivedBytes: number;
  readonly receivedObjects: number;
  /** Large objects that it builds on and the store has. Unit: bytes. */
  readonly largeBaseBytes: number;
}

/**
 * What taking a pack in may cost so far: more as more of it comes, so that what it costs here is bounded by what it costs
 * to send. Unit: milliseconds of a processor.
 * @returns `undefined` where nothing limits it
 */
export function cpuAllowance(
  { maxCpuMs, maxCpuMsPerMib = 0, maxCpuMsPerBaseMib = 0, maxCpuUsPerObject = 0 }: ReceiveLimits,
  arrival: Arrival,
): (() => number) | undefined {
  if (maxCpuMs === undefined) return undefined;
  return () =>
    maxCpuMs +
    times(arrival.receivedBytes / 2 ** 20, maxCpuMsPerMib) +
    times(arrival.largeBaseBytes / 2 ** 20, maxCpuMsPerBaseMib) +
    times(arrival.receivedObjects / 1000, maxCpuUsPerObject);
}

/** Nothing of something without bounds is nothing. */
const times = (count: number, each: number): number => (count === 0 ? 0 : count * each);
