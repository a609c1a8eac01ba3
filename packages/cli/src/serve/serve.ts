import { join } from "node:path";
import { openAdmin } from "../admin/open-admin.ts";
import { isLoopback } from "../args.ts";
import { openStorage } from "../compose.ts";
import type { Config } from "../config/load-config.ts";
import { MAX_TIMER_MS } from "../config/setting.ts";
import { CliError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { openAudit } from "./audit.ts";
import { buildService } from "./build-service.ts";
import { makeDemoRepository } from "./demo-repository.ts";
import { greet } from "./greeting.ts";
import { openLog } from "./open-log.ts";
import { hasPorts, openPorts } from "./ports.ts";
import { isEmpty, prepareRoot } from "./prepare-root.ts";
import { reloadOnHangUp } from "./reload.ts";
import { trackCalls } from "./running-calls.ts";
import { openServeAccess } from "./serve-access.ts";
import { type CertificateFlags, serveCertificates } from "./serve-certificates.ts";
import { withServeFilters } from "./serve-filters.ts";
import { serveHooks } from "./serve-hooks.ts";
import { untilSignal } from "./until-signal.ts";

/** For calls that were aborted. Unit: milliseconds. */
const ABORTED_MS = 3000;

/**
 * Serves until a signal ends it.
 * @param reread the config as it would be now
 * @returns the exit status
 * @throws CliError
 */
export async function serve(
  config: Config,
  terminal: Terminal,
  reread: () => Promise<Config>,
): Promise<number> {
  if (!hasPorts(config)) throw new CliError("cli/usage", "with all ports off there is nothing to serve");
  const root = await prepareRoot(config.get("root"));
  // Undone from the last to the first.
  const undo: (() => unknown)[] = [];
  try {
    const log = await openLog(
      { level: config.get("log.level"), format: config.get("log.format"), file: config.get("log.file") },
      terminal,
    );
    undo.push(() => log.close());
    const { logger } = log;
    const storage = openStorage({ logger, durability: config.get("durability") });
    undo.push(() => storage.close());
    const scripts = config.get("hooks")
      ? await serveHooks(terminal, logger, config.limits("hook.limits"))
      : undefined;
    undo.push(() => scripts?.hooks.close());
    const audit = await openAudit(config, logger, terminal);
    undo.push(() => audit?.close());
    const demo = config.get("root") === undefined && (await isEmpty(root));
    if (demo) await makeDemoRepository(storage, join(root, "demo.git"), Math.floor(Date.now() / 1000));
    const admin = await openAdmin(config, root, logger);
    undo.push(() => admin?.close());
    const access = await openServeAccess(config, logger);
    undo.push(() => access?.close());
    const pushes = config.get("enable").includes("receive-pack") || isLoopback(config.get("host"));
    const certificates = await serveCertificates(certificateFlags(config), terminal, logger);
    const withFilters =
      access !== undefined || config.get("enable").includes("upload-archive")
        ? await withServeFilters(terminal, logger)
        : undefined;
    const parts = { config, root, storage, pushes, access, scripts, certificates, withFilters, logger };
    const calls = trackCalls(admin?.metrics);
    const services = buildService({ ...parts, audit: audit?.hooks, metrics: calls.metrics });
    const ports = await openPorts({
      services,
      config,
      logger,
      metrics: admin?.metrics,
      access,
      env: terminal.env,
    });
    admin?.ready();
    undo.push(reloadOnHangUp(terminal, { config, reread, log, audit, ports }));
    const grace = config.get("graceMs");
    const graceMs = grace === "none" ? MAX_TIMER_MS : grace;
    // Whoever has read the greeting may send a signal.
    const ended = untilSignal(terminal, {
      graceMs,
      async close() {
        admin?.end();
        await ports.close(graceMs);
        await calls.idle(ABORTED_MS);
      },
      // Whatever runs after a push holds its connection.
      late: () => void scripts?.hooks.close(),
    });
    await greet(terminal, {
      ...{ root, demo, pushes: access === undefined ? pushes : "by-rules" },
      ...{ ports: ports.list, admin: admin?.url },
    });
    return await ended;
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

function certificateFlags(config: Config): CertificateFlags {
  return {
    allowedSigners: config.get("signedPush.allowedSigners"),
    revokedKeys: config.get("signedPush.revokedKeys"),
    openpgpKeys: config.get("signedPush.openpgpKeys"),
    requireSignedPush: config.get("signedPush.required"),
  };
}
