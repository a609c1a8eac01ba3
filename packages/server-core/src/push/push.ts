import { isZeroId, type Quarantine } from "@x/objects";
import type { PushCommand } from "../push-hooks.ts";
import type { Session } from "../session.ts";
import type { PushObjects } from "./push-rules.ts";
import type { PushRequest } from "./receive-request.ts";
import type { CommandResult } from "./report-status.ts";

/** A push on its way through its stages. */
export class Push {
  readonly session: Session;
  readonly request: PushRequest;
  readonly results: readonly CommandResult[];
  /** Shows the user a text. */
  readonly say: (text: string) => void;
  /** Commands on symbolic refs whose targets get the same change by another command. */
  readonly aliases: Map<CommandResult, CommandResult> = new Map();
  /** `undefined` when the push brings no pack. */
  quarantine: Quarantine | undefined;

  constructor(session: Session, request: PushRequest, say: (text: string) => void) {
    this.session = session;
    this.request = request;
    this.say = say;
    this.results = request.commands.map((command) => ({ command, error: undefined }));
  }

  /** Commands that nothing speaks against so far. */
  get live(): CommandResult[] {
    return this.results.filter(({ error }) => error === undefined);
  }

  get atomic(): boolean {
    return this.request.capabilities.has("atomic");
  }

  /** What is stored together with what the push brings. */
  get objects(): PushObjects {
    return this.quarantine ?? this.session.repository.objects;
  }

  /** Fails all that are still alive. */
  failLive(error: string): void {
    for (const result of this.live) result.error = error;
  }

  /** All or nothing: one failure is everybody's. */
  settleAtomic(): void {
    if (this.atomic && this.results.some(({ error }) => error !== undefined))
      this.failLive("atomic push failure");
  }

  /** What became of the target became of its alias. */
  settleAliases(): void {
    for (const [alias, target] of this.aliases) alias.error ??= target.error;
  }

  /** Commands that are alive and bring something. */
  get liveUpdates(): CommandResult[] {
    return this.live.filter(({ command }) => !isDelete(command));
  }
}

/** Whether a command asks for its ref to be gone. */
export function isDelete(command: PushCommand): boolean {
  return isZeroId(command.newId);
}
