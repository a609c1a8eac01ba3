/** Why a work tree cannot follow. Stays inside this folder: the answer to a push is a value. */
export class UpdateRefused extends Error {
  override readonly name = "UpdateRefused";
  /** What the pusher's client shows beside the ref, if it is not what C git says in such a case. */
  readonly verdict: string | undefined;

  /** @param message for the pusher, with what it is about; paths have one character for each byte */
  constructor(message: string, verdict?: string) {
    super(message);
    this.verdict = verdict;
  }
}
