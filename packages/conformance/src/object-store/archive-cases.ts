import type { ArchiveRequest, ObjectFormat, ObjectStore } from "@x/objects";
import type { ConformanceCase } from "../conformance-case.ts";
import { holds, rejects, same } from "../expect.ts";
import { makeHistory } from "../sample/history.ts";
import { joined } from "../sample/pack-of.ts";
import { fill } from "./filled.ts";

/** Rows of a tar file. Unit: bytes. */
const ROW = 512;

/** Cases about archives: stores that make none pass them. */
export function archiveCases(format: ObjectFormat): readonly ConformanceCase<ObjectStore>[] {
  const history = makeHistory(format);
  const { commits, blobs, make } = history;
  const root = history.roots.get(commits.tip) as typeof commits.tip;
  const request: ArchiveRequest = {
    format: "tar",
    tree: root.id,
    time: 1_600_000_000,
    prefix: "p/",
    paths: [],
    settings: {
      umask: 0o002,
      lineEndings: { autocrlf: "false", eol: "lf" },
      bigFileThreshold: 512 * 1024 * 1024,
      ignoreCase: false,
      binaryDrivers: new Map(),
    },
  };
  const archived = async (store: ObjectStore, asked: ArchiveRequest, signal?: AbortSignal) => {
    const chunks: Uint8Array[] = [];
    const messages: string[] = [];
    for await (const event of store.createArchive?.(asked, { signal }) ?? [])
      if (event.kind === "message") messages.push(event.text);
      else {
        holds(
          event.bytes.length > 0 && event.bytes.length <= 65_536,
          `a chunk has ${event.bytes.length} bytes`,
        );
        chunks.push(event.bytes.slice());
      }
    return { bytes: joined(chunks), messages };
  };
  return [
    {
      name: "an archive holds the files of a tree",
      async run(makeStore) {
        const store = await makeStore();
        await fill(store, history.objects);
        if (store.createArchive === undefined) return;
        const { bytes } = await archived(store, request);
        const files = new Map([
          ["p/deep/er/a.txt", blobs.deep.data],
          ["p/fresh", blobs.fresh.data],
          ["p/kept", blobs.kept.data],
          ["p/large", blobs.large.data],
        ]);
        same(filesOf(bytes), files, "files");
        const some = await archived(store, { ...request, paths: ["deep"], verbose: true });
        same([...filesOf(some.bytes).keys()], ["p/deep/er/a.txt"], "files below a path");
        same(some.messages.join("").includes("p/deep/er/a.txt\n"), true, "what is told of them");
        for (const other of ["tar.gz", "zip"] as const) {
          const head = (await archived(store, { ...request, format: other })).bytes.subarray(0, 2);
          same(head, Uint8Array.from(other === "zip" ? [0x50, 0x4b] : [0x1f, 0x8b]), other);
        }
      },
    },
    {
      name: "an archive that cannot be made is an error, and so is one that costs too much",
      async run(makeStore) {
        const store = await makeStore();
        await fill(
          store,
          history.objects.filter((object) => object !== blobs.deep),
        );
        if (store.createArchive === undefined) return;
        await rejects(
          archived(store, { ...request, tree: make.unknown("1") }),
          "an unknown tree",
          "objects/not-found",
        );
        await rejects(archived(store, request), "a file that is missing", "objects/not-found");
        const nowhere = { ...request, paths: ["nowhere"] };
        await rejects(archived(store, nowhere), "a path that matches nothing", "objects/bad-archive-request");
        const limits = { maxArchiveEntries: 1000, maxArchiveBytes: 10_000, maxCpuMs: 1e9 };
        const large = { ...request, paths: ["large"] };
        await rejects(archived(store, { ...large, limits }), "maxArchiveBytes", "objects/limit-exceeded");
        await archived(store, { ...large, limits: { ...limits, maxArchiveBytes: 1e9 } });
        await rejects(
          () => archived(store, large, AbortSignal.abort(new Error("enough"))),
          "one that was called off",
        );
      },
    },
  ];
}

/** Names and contents of a tar file's files. Spec: POSIX, pax, "ustar Interchange Format". */
function filesOf(tar: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (at: number, length: number) =>
    new TextDecoder().decode(tar.subarray(at, at + length)).split("\0", 1)[0] ?? "";
  for (let at = 0; at + ROW <= tar.length && tar[at] !== 0; ) {
    const size = Number(`0o${text(at + 124, 11)}`);
    if (text(at + 156, 1) === "0") files.set(text(at, 100), tar.slice(at + ROW, at + ROW + size));
    at += ROW + Math.ceil(size / ROW) * ROW;
  }
  return files;
}
