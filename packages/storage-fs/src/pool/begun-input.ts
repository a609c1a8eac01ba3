/** An input whose first chunk has come. */
export interface BegunInput {
  /** `undefined` when there is none. */
  readonly first: Uint8Array | undefined;
  readonly rest: AsyncIterator<Uint8Array>;
}

/** Waits for the first of `chunks`: until then nobody need be set to work. @throws the reason of `signal` */
export async function beginInput(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<BegunInput> {
  signal?.throwIfAborted();
  const rest = chunks[Symbol.asyncIterator]();
  let abort = () => {};
  const step = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
    abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    rest.next().then(resolve, reject);
  }).finally(() => signal?.removeEventListener("abort", abort));
  return { first: step.done === true ? undefined : step.value, rest };
}
