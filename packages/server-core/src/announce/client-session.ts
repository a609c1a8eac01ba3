import type { Session } from "../session.ts";

/** More of a client's session id is not written down. Unit: characters. */
const MAX_LENGTH = 256;

/** Keeps what a client calls its session, for the log. Spec: gitprotocol-capabilities, "session-id". */
export function noteClientSession(session: Session, id: string | undefined): void {
  if (session.sessionId === undefined || id === undefined || id === "") return;
  session.stats.clientSessionId = id.slice(0, MAX_LENGTH).replace(/[^\x21-\x7e]/g, "?");
}
