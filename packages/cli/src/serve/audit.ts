import type { Hooks, Logger } from "@x/server-core";
import type { Config } from "../config/load-config.ts";
import { CliError } from "../errors.ts";
import { printable } from "../printable.ts";
import type { Terminal } from "../terminal.ts";
import type { LineSink } from "./log.ts";
import { openLines } from "./open-log.ts";

/** Where the record of a push goes. */
type AuditTarget = { readonly logger: Logger } | { readonly lines: LineSink };

/** A record of every push, when it is over: who, from where, to what, and what became of each ref. */
function auditHooks(target: AuditTarget, now: () => Date = () => new Date()): Hooks {
  return {
    async postPush({ call, certificate }, result) {
      const fields = {
        user: call.peer.user === undefined ? undefined : printable(call.peer.user),
        peer: call.peer.address,
        transport: call.transport,
        repository: printable(call.repository.slice(0, 1000)),
        outcome: result.outcome,
        ms: result.ms,
        objects: result.objects,
        ...(certificate !== undefined && {
          signature: { status: certificate.status, signer: certificate.signer, key: certificate.key },
        }),
        refs: result.commands.map(({ ref, oldId, newId, outcome, error }) => ({
          ref: textOf(ref),
          old: oldId,
          new: newId,
          outcome,
          ...(error !== undefined && { error: printable(error) }),
        })),
      };
      if ("logger" in target) target.logger.info(fields, "push");
      else target.lines.write(`${JSON.stringify({ time: now().toISOString(), event: "push", ...fields })}\n`);
    },
  };
}

/** The records while they are kept. */
export interface OpenAudit {
  readonly hooks: Hooks;
  /** Opens the file anew, after somebody has moved it away. */
  reopen(): void;
  close(): void;
}

/** Keeps records as the config says. @throws CliError when the file cannot be opened */
export async function openAudit(
  config: Config,
  logger: Logger,
  { stderr }: Terminal,
): Promise<OpenAudit | undefined> {
  if (!config.get("audit.enabled")) return undefined;
  const file = config.get("audit.file");
  if (file === undefined) return { hooks: auditHooks({ logger }), reopen() {}, close() {} };
  const lines = await openLines(file, stderr).catch((cause: Error) => {
    throw new CliError("cli/fatal", `${file}: ${cause.message}`, { cause });
  });
  return { hooks: auditHooks({ lines }), reopen: lines.reopen, close: lines.close };
}

/** A ref's name as people write it; one character for each byte where it is no UTF-8. */
function textOf(ref: string): string {
  const bytes = Buffer.from(ref, "latin1");
  const text = bytes.toString("utf8");
  return printable(Buffer.from(text, "utf8").equals(bytes) ? text : ref);
}
