import type { CallLabels, CallMetrics, CallResult, Metrics } from "@x/server-core";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What is counted, and the page that shows it. */
export interface Prometheus {
  readonly metrics: Metrics;
  readonly contentType: string;
  /** The page, in Prometheus's text format. */
  readonly page: () => Promise<string>;
}

/** From a listing out of memory to a clone that takes an hour. Unit: seconds. */
const SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1800, 3600];

/** Counts for Prometheus: calls, their times and bytes, packs, and the process itself. No series is of one repository. */
export function createPrometheus(): Prometheus {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const series = createSeries(registry);
  return {
    metrics: {
      call: (labels) => new Call(series, labels),
      connectionRefused: ({ transport, reason }) => series.refused.inc({ transport, reason }),
    },
    contentType: registry.contentType,
    page: () => registry.metrics(),
  };
}

type Series = ReturnType<typeof createSeries>;

function createSeries(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Counter({
      name: "xgit_requests_total",
      help: "Requests that are over",
      labelNames: ["service", "transport", "version", "outcome"] as const,
      registers,
    }),
    inFlight: new Gauge({
      name: "xgit_requests_in_flight",
      help: "Requests that run",
      labelNames: ["service", "transport"] as const,
      registers,
    }),
    queued: new Gauge({
      name: "xgit_requests_queued",
      help: "Requests that wait until a pack may be made, or taken in",
      registers,
    }),
    shed: new Counter({
      name: "xgit_requests_shed_total",
      help: "Requests that were turned away because too much was being done",
      labelNames: ["service", "transport"] as const,
      registers,
    }),
    refused: new Counter({
      name: "xgit_connections_refused_total",
      help: "Connections that were turned away because there were too many",
      labelNames: ["transport", "reason"] as const,
      registers,
    }),
    duration: new Histogram({
      name: "xgit_request_duration_seconds",
      help: "Time of a request, reading and writing included",
      labelNames: ["service", "transport"] as const,
      buckets: SECONDS,
      registers,
    }),
    firstByte: new Histogram({
      name: "xgit_first_byte_seconds",
      help: "Time from a request's start to the first byte of its answer",
      labelNames: ["service", "transport"] as const,
      buckets: SECONDS,
      registers,
    }),
    phases: new Histogram({
      name: "xgit_phase_duration_seconds",
      help: "Where the time of requests goes",
      labelNames: ["service", "phase"] as const,
      buckets: SECONDS,
      registers,
    }),
    bytes: new Counter({
      name: "xgit_bytes_total",
      help: "Bytes of Git's protocol",
      labelNames: ["service", "transport", "direction"] as const,
      registers,
    }),
    packs: new Counter({
      name: "xgit_packs_total",
      help: "Packs sent and received",
      labelNames: ["direction"] as const,
      registers,
    }),
    packBytes: new Counter({
      name: "xgit_pack_bytes_total",
      help: "Bytes of packs sent and received",
      labelNames: ["direction"] as const,
      registers,
    }),
    objects: new Counter({
      name: "xgit_pack_objects_total",
      help: "Objects of packs: sent as they are stored (copied), made for the pack (made), or received",
      labelNames: ["how"] as const,
      registers,
    }),
  };
}

class Call implements CallMetrics {
  readonly #series: Series;
  readonly #labels: Pick<CallLabels, "service" | "transport">;
  readonly #version: string;

  constructor(series: Series, { service, transport, version }: CallLabels) {
    this.#series = series;
    this.#labels = { service, transport };
    this.#version = String(version);
    series.inFlight.inc(this.#labels);
  }

  phase(phase: string, ms: number): void {
    this.#series.phases.observe({ service: this.#labels.service, phase }, ms / 1000);
  }

  waiting(change: 1 | -1): void {
    this.#series.queued.inc(change);
  }

  packSent({
    bytes,
    objects,
    reused,
  }: {
    readonly bytes: number;
    readonly objects: number;
    readonly reused: number;
  }): void {
    this.#pack("sent", bytes);
    this.#series.objects.inc({ how: "copied" }, reused);
    this.#series.objects.inc({ how: "made" }, objects - reused);
  }

  packTaken({ bytes, objects }: { readonly bytes: number; readonly objects: number }): void {
    this.#pack("received", bytes);
    this.#series.objects.inc({ how: "received" }, objects);
  }

  #pack(direction: "sent" | "received", bytes: number): void {
    this.#series.packs.inc({ direction });
    this.#series.packBytes.inc({ direction }, bytes);
  }

  end({ outcome, ms, firstByteMs, bytesIn, bytesOut }: CallResult): void {
    const { requests, inFlight, shed, duration, firstByte, bytes } = this.#series;
    requests.inc({ ...this.#labels, version: this.#version, outcome });
    inFlight.dec(this.#labels);
    if (outcome === "server-core/busy") shed.inc(this.#labels);
    duration.observe(this.#labels, ms / 1000);
    if (firstByteMs !== undefined) firstByte.observe(this.#labels, firstByteMs / 1000);
    bytes.inc({ ...this.#labels, direction: "received" }, bytesIn);
    bytes.inc({ ...this.#labels, direction: "sent" }, bytesOut);
  }
}
