/**
 * Runs two searches for the same thing by turns, breath by breath, until one has found it. Which is the shorter one, nobody
 * can tell beforehand; this way the answer takes at most twice as long as by the shorter.
 * @param perhaps may end without an answer, with `undefined`
 */
export function* firstDone<A, B>(
  perhaps: Generator<undefined, A | undefined>,
  surely: Generator<undefined, B>,
): Generator<undefined, A | B> {
  for (let mayFind = true; ; ) {
    if (mayFind) {
      const step = perhaps.next();
      if (step.done && step.value !== undefined) return step.value;
      if (step.done) mayFind = false;
    }
    const step = surely.next();
    if (step.done) return step.value;
    yield;
  }
}
