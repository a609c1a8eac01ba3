import { type ObjectFilter, type ObjectId, parseObjectId } from "@x/objects";
import { limitExceeded, plain, protocolError, quote, refused, type Session } from "../session.ts";
import { checkFilterAllowed } from "./filter-policy.ts";
import { parseFilterSpec } from "./filter-spec.ts";

/** The depth that stands for "all of it". Spec: git-fetch, `--unshallow`. */
const INFINITE_DEPTH = 0x7fff_ffff;

/** What a client asks for; v0 and v2 say it in the same words. */
export class FetchRequest {
  readonly wants: Set<ObjectId> = new Set();
  readonly shallow: Set<ObjectId> = new Set();
  readonly deepenNot: string[] = [];
  /** Commits from each want on; `Infinity` for all. */
  depth: number | undefined;
  /** Unit: seconds since 1970. */
  deepenSince: number | undefined;
  deepenRelative = false;
  filter: ObjectFilter | undefined;
  thinPack = false;
  ofsDelta = false;
  includeTag = false;
  noProgress = false;

  /** Whether the client asks for another end of its history. */
  get deepens(): boolean {
    return this.depth !== undefined || this.deepenSince !== undefined || this.deepenNot.length > 0;
  }
}

function readId(session: Session, text: string, otherwise: () => string): ObjectId {
  const id = parseObjectId(text, session.repository.objectFormat);
  if (id === undefined) throw protocolError(otherwise());
  return id;
}

/** Takes `have <id>` apart; `undefined` when the line is no have. @throws ServiceError `server-core/protocol` */
export function parseHave(session: Session, line: string): ObjectId | undefined {
  if (!line.startsWith("have ")) return undefined;
  const hex = line.slice(5);
  return readId(session, hex, () => `git upload-pack: expected SHA1 object, got ${quote(hex)}`);
}

/**
 * Reads a line that v0 and v2 share into `request`; of a want in v0 the caller has taken the capabilities.
 * @param idWords what the version calls an object id
 * @returns false when it is another line
 * @throws ServiceError `server-core/protocol`, `server-core/refused`, `server-core/limit-exceeded`
 */
export function readFetchLine(
  session: Session,
  request: FetchRequest,
  line: string,
  idWords = "oid",
): boolean {
  const space = line.indexOf(" ");
  const value = line.slice(space + 1);
  switch (space < 0 ? "" : line.slice(0, space)) {
    case "want":
      request.wants.add(
        readId(
          session,
          value,
          () => `git upload-pack: protocol error, expected to get ${idWords}, not ${quote(line)}`,
        ),
      );
      return true;
    case "shallow":
      request.shallow.add(readId(session, value, () => `invalid shallow line: ${plain(line)}`));
      if (request.shallow.size > session.limits.maxShallows)
        throw limitExceeded("maxShallows", session.limits.maxShallows);
      return true;
    case "deepen":
      request.depth = parseDepth(value, line);
      return true;
    case "deepen-since":
      request.deepenSince = parseTime(value, line);
      return true;
    case "deepen-not":
      request.deepenNot.push(value);
      if (request.deepenNot.length > session.limits.maxDeepenNot)
        throw limitExceeded("maxDeepenNot", session.limits.maxDeepenNot);
      return true;
    default:
      return false;
  }
}

function parseDepth(text: string, line: string): number {
  const depth = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0;
  if (depth < 1 || depth > INFINITE_DEPTH) throw refused(`Invalid deepen: ${plain(line)}`);
  return depth === INFINITE_DEPTH ? Number.POSITIVE_INFINITY : depth;
}

function parseTime(text: string, line: string): number {
  const time = /^[0-9]{1,16}$/.test(text) ? Number(text) : -1;
  if (time < 0 || !Number.isSafeInteger(time)) throw refused(`Invalid deepen-since: ${plain(line)}`);
  return time;
}

/**
 * Reads what is left out of the answer, in a line that only counts where filters are on.
 * @throws ServiceError `server-core/refused`
 */
export function readFilter(session: Session, request: FetchRequest, spec: string): void {
  if (request.filter !== undefined) throw refused("multiple filter-specs cannot be combined");
  const { repository, limits } = session;
  request.filter = parseFilterSpec(spec, repository.objectFormat, limits);
  checkFilterAllowed(repository.config, request.filter);
}

/** Keeps the caps on what a request asks for. To be called between batches: a batch is small. */
export class FetchBudget {
  readonly #session: Session;
  #bytes = 0;
  #maxWants: number;

  constructor(session: Session) {
    this.#session = session;
    this.#maxWants = session.limits.maxWants;
  }

  /** @throws ServiceError `server-core/limit-exceeded` */
  async spend(payloads: readonly Uint8Array[], request: FetchRequest): Promise<void> {
    const { limits, refs, signal } = this.#session;
    for (const payload of payloads) this.#bytes += payload.length + 4;
    if (this.#bytes > limits.maxFetchRequestBytes)
      throw limitExceeded("maxFetchRequestBytes", limits.maxFetchRequestBytes);
    if (request.wants.size <= this.#maxWants) return;
    // A mirror wants as many as there are. One more than the refs: HEAD may be detached.
    this.#maxWants = Math.max(this.#maxWants, 1 + (await refs.count(signal)));
    if (request.wants.size > this.#maxWants) throw limitExceeded("maxWants", this.#maxWants);
  }
}
