import { StorageMemoryError } from "../errors.ts";

/** Who made something, and when. */
export interface Identity {
  readonly name: string;
  readonly email: string;
  /** Default: now. A fixed time makes the same content the same commit. Unit: seconds since 1970. */
  readonly at?: number | undefined;
  /** Default: 0, which is UTC. Unit: minutes. */
  readonly offsetMinutes?: number | undefined;
}

/** `Name <mail> seconds ±hhmm`. @throws StorageMemoryError `storage-memory/bad-identity` */
export function formatIdentity({ name, email, at, offsetMinutes = 0 }: Identity, now: () => number): string {
  const seconds = at ?? Math.floor(now() / 1000);
  const minutes = Math.abs(offsetMinutes);
  const fits =
    !/[<>\n\0]/.test(name + email) &&
    Number.isSafeInteger(seconds) &&
    seconds >= 0 &&
    Number.isInteger(minutes) &&
    minutes < 6000;
  if (!fits)
    throw new StorageMemoryError(
      "storage-memory/bad-identity",
      `this cannot stand in a commit: ${name} <${email}>`,
    );
  const hours = String(Math.floor(minutes / 60)).padStart(2, "0");
  const rest = String(minutes % 60).padStart(2, "0");
  return `${name} <${email}> ${seconds} ${offsetMinutes < 0 ? "-" : "+"}${hours}${rest}`;
}
