/**
 * What several sources give, as it comes. Each is asked for more once what it gave was taken, so that nothing piles up.
 * The first failure ends it; the sources are then told to end, but not waited for.
 */
export async function* merged<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T, void> {
  const ready: { readonly from: AsyncIterator<T>; readonly result: IteratorResult<T> }[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake = () => {};
  const ask = async (from: AsyncIterator<T>) => {
    try {
      ready.push({ from, result: await from.next() });
    } catch (error) {
      failure ??= { error };
    }
    wake();
  };
  const open = new Set(sources.map((source) => source[Symbol.asyncIterator]()));
  for (const from of open) void ask(from);
  try {
    while (open.size > 0) {
      const next = ready.shift();
      if (next !== undefined) {
        if (next.result.done) open.delete(next.from);
        else {
          yield next.result.value;
          void ask(next.from);
        }
        continue;
      }
      if (failure !== undefined) throw failure.error;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    for (const from of open) void from.return?.().catch(() => {});
  }
}
