import type { ObjectId } from "@x/objects";
import type { Capabilities } from "@x/pktline";
import type { Session } from "../session.ts";

/** What a client says it has and we have too. What we do not have is forgotten at once. */
export class CommonHaves {
  readonly ids: Set<ObjectId> = new Set();
  readonly #session: Session;
  readonly #wants: ReadonlySet<ObjectId>;
  #satisfied = false;
  #askedAt = 0;

  constructor(session: Session, wants: ReadonlySet<ObjectId>) {
    this.#session = session;
    this.#wants = wants;
  }

  /** Takes haves in. @returns for each whether we have it */
  async add(haves: readonly ObjectId[]): Promise<readonly boolean[]> {
    if (haves.length === 0) return [];
    const { limits } = this.#session;
    const known = await this.#stored(haves);
    for (const [i, id] of haves.entries())
      if (known[i] && this.ids.size < limits.maxCommonHaves) this.ids.add(id);
    return known;
  }

  async #stored(haves: readonly ObjectId[]): Promise<readonly boolean[]> {
    const { repository, shown, signal } = this.#session;
    const unsure = haves.filter((id) => !shown.isStored(id));
    if (unsure.length === haves.length) return repository.objects.has(haves, { signal });
    const answers = unsure.length === 0 ? [] : await repository.objects.has(unsure, { signal });
    let at = 0;
    return haves.map((id) => shown.isStored(id) || answers[at++] === true);
  }

  /**
   * Whether every want has something common in its history, so that more haves would only cost time.
   * @param growth asks the store again only when this many times more is common than when it was asked last
   */
  async satisfied(growth = 1): Promise<boolean> {
    if (this.#satisfied || this.ids.size === 0) return this.#satisfied;
    if (this.ids.size === this.#askedAt || this.ids.size < this.#askedAt * growth) return false;
    this.#askedAt = this.ids.size;
    const { repository, signal } = this.#session;
    this.#satisfied = await repository.objects.allReach([...this.#wants], [...this.ids], { signal });
    return this.#satisfied;
  }
}

/**
 * How haves are acknowledged in v0, by what the client asked for. Each member gives a line, or nothing.
 * Spec: gitprotocol-pack, "Packfile Negotiation".
 */
export interface AckStyle {
  /** A have that we have. `isOnly`: nothing else was common before; a client may repeat itself. */
  common(id: ObjectId, isOnly: boolean): string | undefined;
  /** A have that we lack, once the client may stop. */
  enough(id: ObjectId): string | undefined;
  /** Says `ready`, at a flush too when all haves since the last one were common. */
  readonly saysReady: boolean;
  nakAtFlush(anyCommon: boolean): boolean;
  /** The last word after `done`. */
  done(last: ObjectId | undefined): string | undefined;
}

const SINGLE: AckStyle = {
  common: (id, isOnly) => (isOnly ? `ACK ${id}\n` : undefined),
  enough: () => undefined,
  saysReady: false,
  nakAtFlush: (anyCommon) => !anyCommon,
  done: (last) => (last === undefined ? "NAK\n" : undefined),
};

const MULTI: AckStyle = {
  common: (id) => `ACK ${id} continue\n`,
  enough: (id) => `ACK ${id} continue\n`,
  saysReady: false,
  nakAtFlush: () => true,
  done: (last) => (last === undefined ? "NAK\n" : `ACK ${last}\n`),
};

const DETAILED: AckStyle = {
  common: (id) => `ACK ${id} common\n`,
  enough: (id) => `ACK ${id} ready\n`,
  saysReady: true,
  nakAtFlush: () => true,
  done: MULTI.done,
};

/** The style that a client asked for; the more detailed one when it asked for both. */
function ackStyle(capabilities: Capabilities): AckStyle {
  if (capabilities.has("multi_ack_detailed")) return DETAILED;
  return capabilities.has("multi_ack") ? MULTI : SINGLE;
}

/** The server's side of a v0 negotiation: haves go in, lines come out. */
export class Negotiation {
  readonly #common: CommonHaves;
  readonly #style: AckStyle;
  readonly #noDone: boolean;
  /** Whether all that was common so far was one and the same object. */
  #only = true;
  #last: ObjectId | undefined;
  #sentReady = false;
  #commonSinceFlush = false;
  #unknownSinceFlush = false;

  constructor(common: CommonHaves, capabilities: Capabilities) {
    this.#common = common;
    this.#style = ackStyle(capabilities);
    this.#noDone = this.#style.saysReady && capabilities.has("no-done");
  }

  /** The answer to a run of haves. */
  async haves(ids: readonly ObjectId[]): Promise<string[]> {
    const lines: string[] = [];
    const known = await this.#common.add(ids);
    for (const [i, id] of ids.entries()) {
      let line: string | undefined;
      if (known[i]) {
        this.#only &&= this.#last === undefined || this.#last === id;
        line = this.#style.common(id, this.#only);
        this.#last = id;
        this.#commonSinceFlush = true;
      } else {
        this.#unknownSinceFlush = true;
        if (this.#style !== SINGLE && (await this.#common.satisfied(2))) {
          line = this.#style.enough(id);
          this.#sentReady ||= this.#style.saysReady;
        }
      }
      if (line !== undefined) lines.push(line);
    }
    return lines;
  }

  /** The answer to a flush packet. `over`: the pack follows, the client will not say `done`. */
  async flush(): Promise<{ readonly lines: string[]; readonly over: boolean }> {
    const lines: string[] = [];
    const last = this.#last;
    const onlyCommon = this.#commonSinceFlush && !this.#unknownSinceFlush;
    if (this.#style.saysReady && onlyCommon && (await this.#common.satisfied())) {
      lines.push(`ACK ${last} ready\n`);
      this.#sentReady = true;
    }
    if (this.#style.nakAtFlush(last !== undefined)) lines.push("NAK\n");
    this.#commonSinceFlush = false;
    this.#unknownSinceFlush = false;
    const over = this.#noDone && this.#sentReady;
    if (over) lines.push(`ACK ${last}\n`);
    return { lines, over };
  }

  /** The answer to `done`. */
  done(): string[] {
    const line = this.#style.done(this.#last);
    return line === undefined ? [] : [line];
  }
}
