import type { WorkTree } from "../ports.ts";
import type { Session } from "../session.ts";

/** What depends on a ref outside of the refs. */
interface Place {
  /** Files of it are checked out somewhere. */
  readonly isCheckedOut: boolean;
  /** Where, if it is known how to change them. */
  readonly workTree: WorkTree | undefined;
  /** It is the branch of a work tree, or the one that a clone would check out. */
  readonly isCurrent: boolean;
}

/** Which refs are checked out where. */
export interface CheckedOut {
  /** @param name as the session sees it */
  of(name: string): Place;
}

/** Looks at the repository's work trees, linked ones too, and at its `HEAD`. */
export async function checkedOut(session: Session): Promise<CheckedOut> {
  const { repository, refs } = session;
  const currentBranch = await refs.currentBranch();
  const workTrees = await repository.workTrees?.();
  return {
    of(name) {
      const fullName = refs.fullName(name);
      // A ref of a namespace is held for its namesake outside too, as in C git.
      const isOne = (branch: string | undefined) => branch === fullName || branch === name;
      const workTree = workTrees?.find(({ branch }) => isOne(branch));
      const isMain = workTrees === undefined && !repository.bare && isOne(currentBranch);
      const isCheckedOut = workTree !== undefined || isMain;
      return { isCheckedOut, workTree, isCurrent: isCheckedOut || fullName === currentBranch };
    },
  };
}
