import { ObjectsError, parseFsckConfig, type ReceiveFsck, relaxedFsckSeverities } from "@x/objects";
import { requiredBoolean } from "../config-value.ts";
import type { RepositoryConfig } from "../ports.ts";
import type { Session } from "../session.ts";

/**
 * How objects that are pushed are checked where the repository does not say (`receive.fsckObjects`,
 * `transfer.fsckObjects`): `strict` as git does when told to, `relaxed` with the flaws of old histories as warnings, or
 * not at all.
 */
export type FsckPreset = "strict" | "relaxed" | "off";

/**
 * How the objects of a push are to be checked. Spec: git-config, `receive.fsckObjects`, `receive.fsck.<msg-id>`.
 * @param warn hears of settings that are passed over
 * @returns `undefined` for not at all
 * @throws ServiceError `server-core/repository-unusable`; ObjectsError `objects/bad-setting`
 */
export function readFsckSettings(session: Session, warn: (text: string) => void): ReceiveFsck | undefined {
  const { config } = session.repository;
  const preset = session.fsck;
  if (!(fsckIsAsked(config) ?? preset !== "off")) return undefined;
  const settings = config.entries?.("receive.fsck.") ?? [];
  const base = preset === "relaxed" ? relaxedFsckSeverities : undefined;
  const { severities, maxPathnameBytes, skipLists, unknownIds } = parseFsckConfig(
    settings,
    "receive.fsck.",
    base,
  );
  for (const id of unknownIds) warn(`warning: skipping unknown msg id '${id}'\n`);
  return { severities, maxPathnameBytes, skipLists };
}

/**
 * Whether a repository wants pushed objects checked; `undefined` when it does not say.
 * Spec: git-config, `receive.fsckObjects`, `transfer.fsckObjects`.
 */
export function fsckIsAsked(config: RepositoryConfig): boolean | undefined {
  return requiredBoolean(config, "receive.fsckObjects") ?? requiredBoolean(config, "transfer.fsckObjects");
}

/** Whether `error` is one that C git's index-pack tells the user itself before it ends. */
export function isToldByIndexPack(error: unknown): error is ObjectsError {
  return (
    error instanceof ObjectsError &&
    (error.code === "objects/refused" || error.code === "objects/bad-setting")
  );
}
