import type { Logger, Metrics } from "@x/server-core";
import type { Config } from "../config/load-config.ts";
import { baseUrl } from "../serve/clone-lines.ts";
import { listenOn } from "../serve/listen.ts";
import { createAdminServer } from "./admin-server.ts";
import { watchReadiness } from "./readiness.ts";

/** The admin's port while it is open. */
export interface OpenAdmin {
  readonly url: string;
  readonly metrics: Metrics;
  /** Requests can be sent. */
  ready(): void;
  /** No more can. */
  end(): void;
  close(): Promise<void>;
}

/** Opens the admin's port, if there shall be one. @throws CliError */
export async function openAdmin(
  config: Config,
  root: string,
  logger: Logger,
): Promise<OpenAdmin | undefined> {
  const asked = config.get("admin.port");
  if (asked === "off") return undefined;
  const host = config.get("admin.host");
  const token = config.get("admin.token");
  const { createPrometheus } = await import("./prometheus.ts");
  const { metrics, ...page } = createPrometheus();
  const readiness = watchReadiness(root);
  const make = (port: number) =>
    createAdminServer({ host, port, token, notReady: readiness.check, metrics: page, logger });
  const { listener, ...address } = await listenOn(make, asked, asked);
  return {
    url: baseUrl({ scheme: "http", ...address }),
    metrics,
    ready: readiness.begin,
    end: readiness.end,
    close: () => listener.close(),
  };
}
