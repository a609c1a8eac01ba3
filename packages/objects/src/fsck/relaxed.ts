import type { FsckSeverity } from "./finding.ts";
import type { FsckMessageId } from "./message-ids.ts";

/**
 * For {@link FsckOptions.severities}: lets histories in that older tools made and that nobody will rewrite. Their flaws
 * become warnings:
 *
 * - `zeroPaddedFilemode`: by far the most frequent; importers and hosts' web editors wrote `040000` for directories
 *   until about 2011. Git reads such trees as any other.
 * - `badTimezone`, `badDate`, `badDateOverflow`, `zeroPaddedDate`, `missingSpaceBeforeDate`: converters from other
 *   systems wrote zones such as `-700` and dates before 1970, and doubled the brackets of an address.
 * - `badEmail`, `badName`, `missingEmail`, `missingNameBeforeEmail`, `missingSpaceBeforeEmail`, `multipleAuthors`: people
 *   whose names or addresses a converter, or git before 2.1, put down as they were. Git shows what it can read of them.
 * - `nulInCommit`: messages in UTF-16. Git shows them up to the NUL.
 *
 * Nothing that could harm whoever checks it out is let through: names that lead out of the work tree or into `.git`,
 * submodule settings, trees that name something twice or not in order, null ids.
 */
export const relaxedFsckSeverities: ReadonlyMap<FsckMessageId, FsckSeverity> = new Map(
  (
    [
      "zeroPaddedFilemode",
      "badTimezone",
      "badDate",
      "badDateOverflow",
      "zeroPaddedDate",
      "missingSpaceBeforeDate",
      "badEmail",
      "badName",
      "missingEmail",
      "missingNameBeforeEmail",
      "missingSpaceBeforeEmail",
      "multipleAuthors",
      "nulInCommit",
    ] as const
  ).map((id) => [id, "warn"]),
);
