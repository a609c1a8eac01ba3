/**
 * What a message means before anything is configured: `fatal` is an error that cannot be made less, `info` a warning
 * that stays one, `ignore` says nothing unless asked to. `warn` counts as an error in strict checks, as those of what
 * is received are.
 */
export type FsckLevel = "fatal" | "error" | "warn" | "info" | "ignore";

/**
 * Every message of git's fsck and its level. Those about refs are never given here, and neither are those that git itself
 * does not come to any more: `badGpgsig`, `badHeaderContinuation`, `emptyName`, `missingTag`, `missingType`,
 * `unknownType`. Spec: git-fsck, "FSCK MESSAGES".
 */
export const fsckLevels = {
  nulInHeader: "fatal",
  unterminatedHeader: "fatal",
  badHeaderContinuation: "error",
  badDate: "error",
  badDateOverflow: "error",
  badEmail: "error",
  badGpgsig: "error",
  badHeadTarget: "error",
  badName: "error",
  badObjectSha1: "error",
  badPackedRefEntry: "error",
  badPackedRefHeader: "error",
  badParentSha1: "error",
  badReferentName: "error",
  badRefContent: "error",
  badRefFiletype: "error",
  badRefName: "error",
  badRefOid: "error",
  badTimezone: "error",
  badTree: "error",
  badTreeSha1: "error",
  badType: "error",
  duplicateEntries: "error",
  gitattributesBlob: "error",
  gitattributesLarge: "error",
  gitattributesLineLength: "error",
  gitattributesMissing: "error",
  gitmodulesBlob: "error",
  gitmodulesLarge: "error",
  gitmodulesMissing: "error",
  gitmodulesName: "error",
  gitmodulesPath: "error",
  gitmodulesSymlink: "error",
  gitmodulesUpdate: "error",
  gitmodulesUrl: "error",
  missingAuthor: "error",
  missingCommitter: "error",
  missingEmail: "error",
  missingNameBeforeEmail: "error",
  missingObject: "error",
  missingSpaceBeforeDate: "error",
  missingSpaceBeforeEmail: "error",
  missingTag: "error",
  missingTagEntry: "error",
  missingTree: "error",
  missingType: "error",
  missingTypeEntry: "error",
  multipleAuthors: "error",
  packedRefEntryNotTerminated: "error",
  packedRefUnsorted: "error",
  treeNotSorted: "error",
  unknownType: "error",
  zeroPaddedDate: "error",
  badReftableTableName: "warn",
  emptyName: "warn",
  fullPathname: "warn",
  hasDot: "warn",
  hasDotdot: "warn",
  hasDotgit: "warn",
  largePathname: "warn",
  nullSha1: "warn",
  nulInCommit: "warn",
  zeroPaddedFilemode: "warn",
  badFilemode: "info",
  badTagName: "info",
  emptyPackedRefsFile: "info",
  gitattributesSymlink: "info",
  gitignoreSymlink: "info",
  gitmodulesParse: "info",
  mailmapSymlink: "info",
  missingTaggerEntry: "info",
  refMissingNewline: "info",
  symlinkRef: "info",
  symrefTargetIsNotARef: "info",
  trailingRefContent: "info",
  extraHeaderEntry: "ignore",
} as const;

/** The name of a message, as git prints it and, in any case, as `receive.fsck.<id>` names it. */
export type FsckMessageId = keyof typeof fsckLevels;

const BY_LOWER_CASE: ReadonlyMap<string, FsckMessageId> = new Map(
  (Object.keys(fsckLevels) as FsckMessageId[]).map((id) => [id.toLowerCase(), id]),
);

/** The message that `text` names in any case, or `undefined` when git has none of that name. */
export function parseFsckMessageId(text: string): FsckMessageId | undefined {
  return BY_LOWER_CASE.get(text.toLowerCase());
}
