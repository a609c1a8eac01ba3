import type { Ref, RefEdit, RefOutcome, RefStore, RefTarget } from "@x/refs";
import { type Mutant, tick } from "./mutant.ts";

type Listing = Parameters<RefStore["list"]>[0];

async function all(refs: RefStore, options?: Listing): Promise<Ref[]> {
  const found: Ref[] = [];
  for await (const batch of refs.list(options)) found.push(...batch);
  return found;
}

async function* once(refs: Promise<readonly Ref[]>): AsyncGenerator<readonly Ref[]> {
  yield await refs;
}

const rejected: RefOutcome = { status: "rejected", reason: "locked", message: "failed to update ref" };

/** Names without directories: then nothing is in the way of anything. */
function flat(refs: RefStore): RefStore {
  const encode = (name: string) =>
    name.replace(/^(refs\/\w+\/)(.*)$/, (_, top, rest) => top + rest.replaceAll("/", "\xb7"));
  const decode = (name: string) => name.replaceAll("\xb7", "/");
  return {
    get: async (name) => {
      const ref = await refs.get(encode(name));
      return ref && { ...ref, name };
    },
    list: (options) =>
      once(all(refs, options).then((found) => found.map((ref) => ({ ...ref, name: decode(ref.name) })))),
    transact: (edits, options) =>
      refs.transact(
        edits.map((edit) => ({ ...edit, name: encode(edit.name) })),
        options,
      ),
  };
}

/** Writes back what it read before somebody else wrote. */
function lastWriterWins(): RefStore {
  let state = new Map<string, RefTarget>([["HEAD", { kind: "symbolic", name: "refs/heads/main" }]]);
  const refOf = (name: string): Ref | undefined => {
    const target = state.get(name);
    return target && { name, target };
  };
  return {
    get: async (name) => refOf(name),
    async *list() {
      yield [...state.keys()]
        .filter((name) => name !== "HEAD")
        .sort()
        .map((name) => refOf(name) as Ref);
    },
    async transact(edits) {
      const next = new Map(state);
      await tick();
      for (const { name, next: id } of edits) if (id !== "delete") next.set(name, { kind: "id", id });
      state = next;
      return edits.map(() => ({ status: "ok" }));
    },
  };
}

/** Looks, and acts later. */
export function checkThenAct(refs: RefStore): RefStore {
  return {
    ...plain(refs),
    async transact(edits, options) {
      const outcomes: RefOutcome[] = [];
      for (const edit of edits) {
        const target = (await refs.get(edit.name))?.target;
        const current = target === undefined ? "absent" : target.kind === "id" ? target.id : "special";
        await tick();
        const fits = edit.expected === "any" || edit.expected === current;
        outcomes.push(fits ? { status: "ok" } : rejected);
        if (fits) await refs.transact([{ ...edit, expected: "any" }], options);
      }
      return outcomes;
    },
  };
}

/** Its members, which a class would keep to itself. */
function plain(refs: RefStore): RefStore {
  return {
    get: (name) => refs.get(name),
    list: (options) => refs.list(options),
    state: async (prefixes) => (await refs.state?.(prefixes)) ?? "",
    transact: (edits, options) => refs.transact(edits, options),
  };
}

const editing =
  (change: (edit: RefEdit) => RefEdit) =>
  (refs: RefStore): RefStore => ({
    ...plain(refs),
    transact: (edits, options) => refs.transact(edits.map(change), options),
  });

const listing =
  (list: (refs: RefStore, options: Listing) => AsyncIterable<readonly Ref[]>) =>
  (refs: RefStore): RefStore => ({
    ...plain(refs),
    list: (options) => list(refs, options),
  });

export const REF_MUTANTS: readonly Mutant<RefStore>[] = [
  {
    fault: "HEAD is there only when its branch is",
    caughtBy: "a new store lists nothing, and its HEAD stands for refs/heads/main",
    of: (refs) => ({ ...plain(refs), get: async (name) => (name === "HEAD" ? undefined : refs.get(name)) }),
  },
  {
    fault: "only branches and tags are looked up",
    caughtBy: "what is listed is what is got, one by one",
    of: (refs) => ({
      ...plain(refs),
      get: async (name) => (/^HEAD|^refs\/(heads|tags)\//.test(name) ? refs.get(name) : undefined),
    }),
  },
  {
    fault: "names are sorted as people sort them",
    caughtBy: "refs are listed in byte order of their names",
    of: listing((refs, options) =>
      once(all(refs, options).then((found) => found.sort((a, b) => a.name.localeCompare(b.name, "en")))),
    ),
  },
  {
    fault: "names are taken for text",
    caughtBy: "names are bytes: whatever is no UTF-8 survives",
    of: listing((refs, options) =>
      once(
        all(refs, options).then((found) =>
          found.map((ref) => ({ ...ref, name: Buffer.from(ref.name, "latin1").toString() })),
        ),
      ),
    ),
  },
  {
    fault: "each prefix is looked through by itself",
    caughtBy: "prefixes are plain text, may overlap, and give each ref once",
    of: listing(async function* (refs, { prefixes = [""] } = {}) {
      for (const prefix of prefixes) yield* refs.list({ prefixes: [prefix] });
    }),
  },
  {
    fault: "no prefixes are taken for all",
    caughtBy: "prefixes are plain text, may overlap, and give each ref once",
    of: listing((refs, options) => refs.list(options?.prefixes?.length === 0 ? {} : options)),
  },
  {
    fault: "a listing is read as it goes",
    caughtBy: "the batches of a listing are one snapshot",
    of: listing(async function* (refs) {
      const names = (await all(refs)).map(({ name }) => name);
      for (let at = 0; at < names.length; at += 100) {
        const found = await Promise.all(names.slice(at, at + 100).map((name) => refs.get(name)));
        yield found.filter((ref) => ref !== undefined);
      }
    }),
  },
  {
    fault: "nobody looks at the signal",
    caughtBy: "a listing ends when its signal says so",
    of: listing((refs, options) => refs.list({ prefixes: options?.prefixes })),
  },
  {
    fault: "the state is that of the listing alone",
    caughtBy: "the state is the same as long as nothing changes, and another afterwards",
    of: (refs) => ({ ...plain(refs), state: async () => JSON.stringify(await all(refs)) }),
  },
  {
    fault: "the state counts transactions",
    caughtBy: "the state is the same as long as nothing changes, and another afterwards",
    of: (refs) => {
      let count = 0;
      return {
        ...plain(refs),
        state: async () => `${count}`,
        transact: (edits, options) => {
          count++;
          return refs.transact(edits, options);
        },
      };
    },
  },
  {
    fault: "what is deleted stays",
    caughtBy: "refs are created, updated and deleted, and outcomes stand in the order of edits",
    of: (refs) => ({
      ...plain(refs),
      transact: async (edits, options) => {
        await refs.transact(
          edits.filter(({ next }) => next !== "delete"),
          options,
        );
        return edits.map(() => ({ status: "ok" }));
      },
    }),
  },
  {
    fault: "nobody compares before swapping",
    caughtBy: "each edit is refused for its own reason, with words for the pusher, and the others are made",
    of: editing((edit) => ({ ...edit, expected: "any" })),
  },
  {
    fault: "refusals come last",
    caughtBy: "each edit is refused for its own reason, with words for the pusher, and the others are made",
    of: (refs) => ({
      ...plain(refs),
      transact: async (edits, options) =>
        [...(await refs.transact(edits, options))].sort(
          (a, b) => Number(a.status !== "ok") - Number(b.status !== "ok"),
        ),
    }),
  },
  {
    fault: "refusals say nothing",
    caughtBy: "each edit is refused for its own reason, with words for the pusher, and the others are made",
    of: (refs) => ({
      ...plain(refs),
      transact: async (edits, options) =>
        (await refs.transact(edits, options)).map((one) =>
          one.status === "ok" ? one : { ...one, message: "" },
        ),
    }),
  },
  {
    fault: "atomic is for others",
    caughtBy: "one refusal calls all of an atomic transaction off",
    of: (refs) => ({
      ...plain(refs),
      transact: (edits, options) => refs.transact(edits, { ...options, atomic: false }),
    }),
  },
  {
    fault: "a ref may be a directory of others",
    caughtBy: "a ref cannot be beside one that is a directory of its name, nor below one",
    of: flat,
  },
  {
    fault: "edits are made from the last to the first",
    caughtBy: "of two new refs that cannot be beside each other the first is made",
    of: (refs) => ({
      ...plain(refs),
      transact: async (edits, options) => [...(await refs.transact([...edits].reverse(), options))].reverse(),
    }),
  },
  {
    fault: "edits are made one by one as they stand",
    caughtBy: "what goes makes room for what comes, where each edit stands for itself",
    of: (refs) => ({
      ...plain(refs),
      async transact(edits, options) {
        const outcomes: RefOutcome[] = [];
        for (const edit of edits) outcomes.push(...(await refs.transact([edit], options)));
        return outcomes;
      },
    }),
  },
  {
    fault: "a bad name is one refusal among others",
    caughtBy: "bad names are refused before anything is done, and two edits of one ref too",
    of: (refs) => ({
      ...plain(refs),
      transact: (edits, options) => refs.transact(edits, options).catch(() => edits.map(() => rejected)),
    }),
  },
  {
    fault: "it looks first and acts later",
    caughtBy: "of many writers that expect the same exactly one wins, each time",
    of: checkThenAct,
  },
  {
    fault: "all refs are written back at once",
    caughtBy: "writers of different refs do not lose each other's changes",
    of: lastWriterWins,
  },
  {
    fault: "HEAD is followed when it is changed",
    caughtBy: "HEAD can be made to hold an id, and is then compared like any other",
    of: editing((edit) => (edit.name === "HEAD" ? { ...edit, name: "refs/heads/main" } : edit)),
  },
  {
    fault: "nobody is told of phases",
    caughtBy: "the phases of a transaction are told in order, with what is to change",
    of: (refs) => ({ ...plain(refs), transact: (edits, { atomic }) => refs.transact(edits, { atomic }) }),
  },
  {
    fault: "who is told of phases is not heard",
    caughtBy: "whoever is told of a phase may call the transaction off, until it is made",
    of: (refs) => ({
      ...plain(refs),
      transact: (edits, { atomic, onPhase }) =>
        refs.transact(edits, {
          atomic,
          onPhase: async (...told) => void (await onPhase?.(...told).catch(() => {})),
        }),
    }),
  },
];
