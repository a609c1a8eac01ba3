import { isZeroId, type ObjectId, type Quarantine } from "@x/objects";
import { encodeLatin1 } from "@x/pktline";
import type { PackPlace } from "../admission/pack-gate.ts";
import type { Voice } from "../keepalive.ts";
import type { PushCertificate, PushCommand, PushHooks } from "../push-hooks.ts";
import type { Session } from "../session.ts";
import type { PushObjects } from "./judge.ts";
import type { PushRequest } from "./receive-request.ts";
import type { CommandResult } from "./report-status.ts";

/** Nobody listens. */
export const MUTE: Voice = { say: () => {}, drained: async () => {} };

/** A push on its way through its stages. */
export class Push {
  readonly session: Session;
  readonly request: PushRequest;
  readonly results: readonly CommandResult[];
  /** Those that have a part in it. */
  hooks: PushHooks;
  /** How the user is talked to at this moment. */
  voice: Voice = MUTE;
  /** Commands on symbolic refs whose targets get the same change by another command. */
  readonly aliases: Map<CommandResult, CommandResult> = new Map();
  /** New tips that are complete only if the history ends at these commits of the pusher's. */
  readonly shallowRoots: Map<ObjectId, readonly ObjectId[]> = new Map();
  certificate: PushCertificate | undefined;
  /** Leave to take the pack in. */
  place: PackPlace | undefined;
  /** `undefined` when the push brings nothing to store. */
  quarantine: Quarantine | undefined;
  /** It was found out while its pack was taken in that nothing is missing. */
  connects = false;
  isPublished = false;
  /** Until then no ref may lead to what was published. */
  settled: Promise<void> | undefined;

  constructor(session: Session, request: PushRequest) {
    this.session = session;
    this.request = request;
    this.hooks = session.hooks;
    this.results = request.commands.map((command) => ({
      command,
      error: undefined,
      isForHook: false,
      reports: [],
      didNotExist: false,
      isDone: false,
    }));
  }

  /** Commands that nothing speaks against so far. */
  get live(): CommandResult[] {
    return this.results.filter(({ error }) => error === undefined);
  }

  /** Of these, the ones that the server itself has to carry out. */
  get ownLive(): CommandResult[] {
    return this.live.filter(({ isForHook }) => !isForHook);
  }

  get atomic(): boolean {
    return this.request.atomic;
  }

  /** What is stored together with what the push brings. */
  get objects(): PushObjects {
    return (this.isPublished ? undefined : this.quarantine) ?? this.session.repository.objects;
  }

  /** Shows the user a text; one character stands for each byte. */
  say(text: string): void {
    // Names come from the client, and some from others: none of them moves a cursor.
    this.voice.say(encodeLatin1(text.replace(/[^\n\t\x20-\x7e\x80-\xff]/g, "?")));
  }

  /** Fails all that are still alive and not done. */
  failLive(error: string): void {
    for (const result of this.live) if (!result.isDone) result.error = error;
  }

  /** All or nothing: one failure is everybody's. */
  settleAtomic(): void {
    if (this.atomic && this.results.some(({ error }) => error !== undefined))
      this.failLive("atomic push failure");
  }

  /** What became of the target became of its alias. */
  settleAliases(): void {
    for (const [alias, target] of this.aliases) {
      alias.error ??= target.error;
      alias.isDone = target.isDone;
    }
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
