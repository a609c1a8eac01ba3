import type { Config } from "../config/load-config.ts";
import type { Terminal } from "../terminal.ts";
import type { OpenAudit } from "./audit.ts";
import type { OpenLog } from "./open-log.ts";
import type { OpenPorts } from "./ports.ts";

/** What changes while a server runs. */
export interface Reloadable {
  readonly config: Config;
  /** The config as it would be now. */
  readonly reread: () => Promise<Config>;
  readonly log: OpenLog;
  readonly audit: OpenAudit | undefined;
  readonly ports: OpenPorts;
}

/**
 * At SIGHUP opens files of lines anew, reads the certificate again, and takes over what a new config may change in a
 * server that runs: how much is logged. Of the rest it is said that it takes a start.
 * @returns stops that
 */
export function reloadOnHangUp(terminal: Terminal, parts: Reloadable): () => void {
  let last = parts.config;
  const reload = async () => {
    const { log, audit, ports } = parts;
    log.reopen();
    audit?.reopen();
    await ports.renewCertificate();
    const next = await parts.reread();
    log.setLevel(next.get("log.level"));
    const keys = changedKeys(last, next).filter((key) => key !== "log.level");
    last = next;
    if (keys.length > 0) log.logger.warn({ keys }, "these settings count from the next start on");
    log.logger.info({}, "reloaded");
  };
  const stop = terminal.onHangUp?.(() => {
    reload().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      parts.log.logger.error({ reason }, "the config was not reloaded");
    });
  });
  return stop ?? (() => {});
}

function changedKeys(before: Config, after: Config): string[] {
  const texts = (config: Config) =>
    new Map([...config.entries()].map(({ key, value }) => [key, JSON.stringify(value)]));
  const [old, next] = [texts(before), texts(after)];
  return [...new Set([...old.keys(), ...next.keys()])].filter((key) => old.get(key) !== next.get(key));
}
