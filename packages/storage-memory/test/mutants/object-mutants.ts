import {
  type ArchiveRequest,
  type ObjectId,
  type ObjectStore,
  ObjectsError,
  type PackRequest,
  parseCommitLinks,
  parseTagTarget,
  type Quarantine,
  type TakePackOptions,
} from "@x/objects";
import type { Mutant } from "./mutant.ts";

const receiving =
  (change: (quarantine: Quarantine, store: ObjectStore) => Partial<Quarantine>) =>
  (store: ObjectStore): ObjectStore => ({
    ...store,
    async receive(options) {
      const quarantine = await store.receive(options);
      return { ...quarantine, ...change(quarantine, store) };
    },
  });

const taking = (change: (options: TakePackOptions) => TakePackOptions) =>
  receiving((quarantine) => ({
    takePack: (chunks, options) => quarantine.takePack(chunks, change(options)),
  }));

const packing =
  (change: (request: PackRequest) => PackRequest) =>
  (store: ObjectStore): ObjectStore => ({
    ...store,
    createPack: (request, options) => store.createPack(change(request), options),
  });

async function parentsOf(store: Pick<ObjectStore, "read">, id: ObjectId): Promise<readonly ObjectId[]> {
  const object = await store.read(id);
  const format = id.length === 40 ? "sha1" : "sha256";
  return object?.type === "commit" ? parseCommitLinks(object.data, format).parents : [];
}

const RECEIPT = { objects: 0, bytes: 0, trailingBytes: 0 };

const READING: readonly Mutant<ObjectStore>[] = [
  {
    fault: "whatever is asked for is there",
    caughtBy: "a new store has nothing, and is of the format it was made for",
    of: (store) => ({ ...store, has: async (ids) => ids.map(() => true) }),
  },
  {
    fault: "what is asked for twice is answered once",
    caughtBy: "answers stand in the order of the ids, repeats and strangers among them",
    of: (store) => ({ ...store, headers: (ids, options) => store.headers([...new Set(ids)], options) }),
  },
  {
    fault: "what is not there is left out",
    caughtBy: "answers stand in the order of the ids, repeats and strangers among them",
    of: (store) => ({
      ...store,
      headers: async (ids) => (await store.headers(ids)).filter((one) => one !== undefined),
    }),
  },
  {
    fault: "large objects are cut short",
    caughtBy: "every object is read as it was stored",
    of: (store) => ({
      ...store,
      read: async (id) => {
        const object = await store.read(id);
        return object && { ...object, data: object.data.subarray(0, 131_072) };
      },
    }),
  },
  {
    fault: "a tag peels to what it names, be it a tag or nothing",
    caughtBy: "tags peel to what their chain ends in, and what breaks off to nothing",
    of: (store) => ({
      ...store,
      peel: async (ids) =>
        Promise.all(
          ids.map(async (id) => {
            const object = await store.read(id);
            if (object?.type !== "tag") return object && { id, type: object.type };
            const target = parseTagTarget(object.data, store.format);
            return { id: target.id, type: target.type as "commit" };
          }),
        ),
    }),
  },
  {
    fault: "questions are answered whoever has left",
    caughtBy: "a question that was called off is not answered",
    of: (store) => ({ ...store, unreachable: (ids, tips) => store.unreachable(ids, tips) }),
  },
];

const RECEIVING: readonly Mutant<ObjectStore>[] = [
  {
    fault: "packs go where they belong at once",
    caughtBy: "nobody sees what comes in before it is published; then everybody does",
    of: receiving((quarantine) => ({
      async takePack(chunks, options) {
        const receipt = await quarantine.takePack(chunks, options);
        await quarantine.publish();
        return receipt;
      },
    })),
  },
  {
    fault: "a quarantine does not see what is in it",
    caughtBy: "nobody sees what comes in before it is published; then everybody does",
    of: receiving((_, store) => ({ has: store.has })),
  },
  {
    fault: "what is discarded is kept",
    caughtBy: "what is not published is gone, and to discard twice is harmless",
    of: receiving((quarantine) => ({ discard: () => quarantine.publish() })),
  },
  {
    fault: "chunks are counted, not bytes",
    caughtBy: "packs are the same however they are cut, and what they held is told",
    of: receiving((quarantine) => ({
      async takePack(chunks, options) {
        let bytes = 0;
        async function* counted() {
          for await (const chunk of chunks) {
            bytes++;
            yield chunk;
          }
        }
        return { ...(await quarantine.takePack(counted(), options)), bytes };
      },
    })),
  },
  {
    fault: "what comes after the pack is passed over",
    caughtBy: "no chunk is read beyond the pack's end, and what else was in the last one is counted",
    of: receiving((quarantine) => ({
      takePack: async (chunks, options) => ({
        ...(await quarantine.takePack(chunks, options)),
        trailingBytes: 0,
      }),
    })),
  },
  {
    fault: "a pack without objects is refused",
    caughtBy: "an empty pack is one",
    of: receiving((quarantine) => ({
      async takePack(chunks, options) {
        const receipt = await quarantine.takePack(chunks, options);
        if (receipt.objects === 0) throw new ObjectsError("objects/bad-pack", "no objects");
        return receipt;
      },
    })),
  },
  {
    fault: "what comes of a pack is taken, though it is no whole one",
    caughtBy: "what is no pack is refused, and leaves nothing",
    of: receiving((quarantine) => ({
      takePack: (chunks, options) => quarantine.takePack(chunks, options).catch(() => RECEIPT),
    })),
  },
  {
    fault: "a pack may always be thin",
    caughtBy: "a thin pack is completed from the store, unless it may not be thin",
    of: taking((options) => ({ ...options, mayBeThin: true })),
  },
  {
    fault: "a pack may never be thin",
    caughtBy: "a thin pack is completed from the store, unless it may not be thin",
    of: taking((options) => ({ ...options, mayBeThin: false })),
  },
  {
    fault: "what came is listed in the order of the index",
    caughtBy: "what came in is listed in the order of the pack, without what completes it",
    of: receiving((quarantine) => ({
      async *received() {
        for await (const batch of quarantine.received?.() ?? [])
          yield [...batch].sort((a, b) => (a.id < b.id ? -1 : 1));
      },
    })),
  },
  {
    fault: "few objects are thrown away with their pack",
    caughtBy: "few objects may be stored one by one, and are the same",
    of: receiving((quarantine) => {
      let isFew = false;
      return {
        async takePack(chunks, options) {
          const receipt = await quarantine.takePack(chunks, options);
          isFew = receipt.objects < (options.unpackBelow ?? 0);
          return receipt;
        },
        publish: async () => (isFew ? undefined : quarantine.publish()),
      };
    }),
  },
  {
    fault: "a single object is stored at once",
    caughtBy: "a single object can be stored with the rest",
    of: receiving((quarantine, store) => ({
      async writeObject(type, data) {
        const own = await store.receive();
        await own.writeObject?.(type, data);
        await own.publish();
        return (await quarantine.writeObject?.(type, data)) as ObjectId;
      },
    })),
  },
  {
    fault: "what is there already cannot come again",
    caughtBy: "the same objects may come twice, even at once",
    of: (store) => {
      const seen = new Set<ObjectId>();
      return receiving((quarantine) => ({
        async publish() {
          for await (const batch of quarantine.received?.() ?? [])
            for (const { id } of batch) {
              if (seen.has(id)) throw new ObjectsError("objects/unavailable", "it exists");
              seen.add(id);
            }
          await quarantine.publish();
        },
      }))(store);
    },
  },
  {
    fault: "a pack that was called off counts as an empty one",
    caughtBy: "a pack that does not come any further can be called off",
    of: receiving((quarantine) => ({
      takePack: (chunks, options) =>
        quarantine.takePack(chunks, options).catch((error) => {
          if (options.signal?.aborted) return RECEIPT;
          throw error;
        }),
    })),
  },
];

const CHECKING: readonly Mutant<ObjectStore>[] = [
  {
    fault: "nobody looks whether all is there",
    caughtBy: "whatever a tip reaches has to be there",
    of: receiving(() => ({ unconnected: async () => [] })),
  },
  {
    fault: "a parent that is there is taken for whole",
    caughtBy: "what refs reach is known to be there; what lies about is not",
    of: receiving((quarantine, store) => ({
      async unconnected(tips, known, options) {
        const parents = (await Promise.all(tips.map((tip) => parentsOf(quarantine, tip)))).flat();
        const there = await store.has(parents);
        return quarantine.unconnected(tips, [...known, ...parents.filter((_, i) => there[i])], options);
      },
    })),
  },
  {
    fault: "a client has all parents of its commits",
    caughtBy: "a commit that the client has no parents of needs none",
    of: receiving((quarantine) => ({ unconnected: (tips, known) => quarantine.unconnected(tips, known) })),
  },
  ...(
    [
      "maxPackBytes",
      "maxObjects",
      "maxObjectBytes",
      "maxDeltaObjectBytes",
      "maxParsedBytes",
      "maxDeltaDepth",
      "maxInflatedBytes",
    ] as const
  ).map(
    (limit): Mutant<ObjectStore> => ({
      fault: `${limit} is none`,
      caughtBy: "every limit is one: what is larger is refused, what is not is taken",
      of: taking(({ limits, ...options }) => {
        const { [limit]: _, ...others } = limits;
        return { ...options, limits: others };
      }),
    }),
  ),
  {
    fault: "trees may be nested as they like",
    caughtBy: "trees that are nested deeper than allowed do not count as connected",
    of: taking((options) => ({ ...options, limits: {} })),
  },
  {
    fault: "nothing is checked",
    caughtBy: "objects are checked where that is asked for, and whoever sent them is told what is wrong",
    of: taking((options) => ({ ...options, fsck: undefined })),
  },
  {
    fault: "nobody is told what is wrong",
    caughtBy: "objects are checked where that is asked for, and whoever sent them is told what is wrong",
    of: taking((options) => ({ ...options, onMessage: undefined })),
  },
];

const PACKING: readonly Mutant<ObjectStore>[] = [
  {
    fault: "one want is enough",
    caughtBy: "a pack holds what its wants reach, and nothing else",
    of: packing((request) => ({ ...request, wants: request.wants.slice(0, 1) })),
  },
  {
    fault: "everybody gets everything",
    caughtBy: "what the client has is left out, with all that it reaches",
    of: packing((request) => ({ ...request, haves: [] })),
  },
  {
    fault: "every pack is thin",
    caughtBy: "a thin pack is whole for whoever has what it leaves out",
    of: packing((request) => ({ ...request, thin: true })),
  },
  {
    fault: "history is never cut",
    caughtBy: "a shallow boundary has no parents, on either side",
    of: packing((request) => ({ ...request, shallow: [] })),
  },
  {
    fault: "tags are to be asked for",
    caughtBy: "tags ride along with what they point at",
    of: packing((request) => ({ ...request, tags: [] })),
  },
  {
    fault: "all tags ride along",
    caughtBy: "tags ride along with what they point at",
    of: packing((request) => ({
      ...request,
      wants: [...request.wants, ...(request.tags ?? []).map(({ tag }) => tag)],
    })),
  },
  {
    fault: "nothing is filtered",
    caughtBy: "filters leave out what they say, but for what is wanted by its own id",
    of: packing((request) => ({ ...request, filter: undefined })),
  },
  {
    fault: "nothing is elsewhere",
    caughtBy: "what the client gets elsewhere is left out, and told once",
    of: packing(({ elsewhere: _, ...request }) => request),
  },
  {
    fault: "progress is for all",
    caughtBy: "progress is told to whom it is wanted by, and to nobody else",
    of: packing((request) => ({ ...request, progress: true })),
  },
  {
    fault: "progress is for nobody",
    caughtBy: "progress is told to whom it is wanted by, and to nobody else",
    of: packing((request) => ({ ...request, progress: false })),
  },
  {
    fault: "what is missing is left out",
    caughtBy: "what is missing is an error, unless the client has agreed to do without",
    of: packing((request) => ({ ...request, allowMissing: true })),
  },
  {
    fault: "packs cost what they cost",
    caughtBy: "a pack costs no more than it may",
    of: packing((request) => ({ ...request, limits: undefined })),
  },
  {
    fault: "a pack is made to its end, whoever has left",
    caughtBy: "whoever leaves a pack, or calls it off, leaves nothing behind",
    of: (store) => ({ ...store, createPack: (request) => store.createPack(request) }),
  },
  {
    fault: "one request is in progress at a time",
    caughtBy: "packs are made of what was there when they began, whatever comes meanwhile",
    of: (store) => {
      let current: PackRequest;
      return {
        ...store,
        async *createPack(request) {
          current = request;
          await store.has([]);
          yield* store.createPack(current);
        },
      };
    },
  },
];

const ANCESTRY: readonly Mutant<ObjectStore>[] = [
  {
    fault: "only commits can be out of reach",
    caughtBy: "what no tip reaches is told, whatever it is",
    of: (store) => ({
      ...store,
      async unreachable(ids, tips) {
        const headers = await store.headers(ids);
        return store.unreachable(
          ids.filter((_, i) => headers[i]?.type === "commit"),
          tips,
        );
      },
    }),
  },
  {
    fault: "a commit has one parent",
    caughtBy: "an ancestor is one by any path, and every commit is its own",
    of: (store) => ({
      ...store,
      async isAncestor(ancestor, descendant) {
        for (
          let next: ObjectId | undefined = descendant;
          next !== undefined;
          [next] = await parentsOf(store, next)
        )
          if (next === ancestor) return true;
        return false;
      },
    }),
  },
  {
    fault: "one want that reaches what is common will do",
    caughtBy: "wants all reach what is common, or one of its parents; what is no commit counts as satisfied",
    of: (store) => ({
      ...store,
      allReach: async (wants, common) =>
        (await Promise.all(wants.map((want) => store.allReach([want], common)))).includes(true),
    }),
  },
  {
    fault: "wants have to reach what is common itself",
    caughtBy: "wants all reach what is common, or one of its parents; what is no commit counts as satisfied",
    of: (store) => ({
      ...store,
      allReach: async (wants, common) => (await store.unreachable(common, wants)).length === 0,
    }),
  },
  {
    fault: "depth 1 is a commit and its parents",
    caughtBy: "a depth counts commits by the shortest way",
    of: (store) => ({
      ...store,
      deepen: ({ depth = 0, ...rest }) => store.deepen({ ...rest, depth: depth + 1 }),
    }),
  },
  {
    fault: "what is shallow stays so",
    caughtBy: "who deepens learns what is shallow no more, and which parents come",
    of: (store) => ({
      ...store,
      deepen: async (request) => ({ ...(await store.deepen(request)), unshallow: [] }),
    }),
  },
  {
    fault: "a relative depth is one from the wants",
    caughtBy: "who deepens learns what is shallow no more, and which parents come",
    of: (store) => ({ ...store, deepen: ({ relative: _, ...request }) => store.deepen(request) }),
  },
  {
    fault: "history is cut by time alone",
    caughtBy: "history is cut by time and by what others reach",
    of: (store) => ({
      ...store,
      deepen: ({ not: _, ...request }) =>
        store.deepen({ depth: request.since === undefined ? 99 : undefined, ...request }),
    }),
  },
  {
    fault: "a boundary is forgotten",
    caughtBy: "commits whose parents are missing on purpose end every walk",
    of: (store) => ({ ...store, addShallow: async () => {} }),
  },
];

const archiving =
  (change: (request: ArchiveRequest) => ArchiveRequest) =>
  (store: ObjectStore): ObjectStore => ({
    ...store,
    createArchive: (request, options) =>
      (store.createArchive as NonNullable<ObjectStore["createArchive"]>)(change(request), options),
  });

const ARCHIVING: readonly Mutant<ObjectStore>[] = [
  {
    fault: "an archive is of everything",
    caughtBy: "an archive holds the files of a tree",
    of: archiving((request) => ({ ...request, paths: [] })),
  },
  {
    fault: "every archive is a tar file",
    caughtBy: "an archive holds the files of a tree",
    of: archiving((request) => ({ ...request, format: "tar" })),
  },
  {
    fault: "archives cost what they cost",
    caughtBy: "an archive that cannot be made is an error, and so is one that costs too much",
    of: archiving((request) => ({ ...request, limits: undefined })),
  },
];

export const OBJECT_MUTANTS: readonly Mutant<ObjectStore>[] = [
  ...READING,
  ...RECEIVING,
  ...CHECKING,
  ...PACKING,
  ...ANCESTRY,
  ...ARCHIVING,
];
