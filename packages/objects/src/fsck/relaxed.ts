import type { FsckSeverity } from "./finding.ts";
import type { FsckMessageId } from "./message-ids.ts";

/**
 * For {@link FsckOptions.severities}: lets histories in that older tools made and that nobody will rewrite. What they are
 * known to contain, or what is of the same harmless kind, becomes a warning:
 *
 * - `zeroPaddedFilemode`, by far the most frequent: Grit, the library GitHub ran on, wrote `040000` for directories
 *   until 2010 (in rails and oh-my-zsh, for example). Git reads such a tree as any other.
 * - `badTimezone`: until 1.7.6.5 `git commit` took zones such as `-700` and `+051800` (rails, requests, vim-scripts).
 * - `missingSpaceBeforeDate`, `badDate`, `badDateOverflow`, `zeroPaddedDate`: lines without a date, and dates before 1970,
 *   from converters and from `git rebase -i --root` of 2.18.
 * - `badEmail`, `badName`, `missingEmail`, `missingNameBeforeEmail`, `missingSpaceBeforeEmail`, `multipleAuthors`: names
 *   and addresses that a converter took over as they were, brackets doubled or left out.
 * - `nulInCommit`: messages in UTF-16. Git shows them up to the first NUL.
 *
 * Nothing is let in that could harm who checks it out or what computes with it: names that lead out of the work tree or
 * into `.git`, submodule settings, trees that name something twice or not in order, null ids.
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
