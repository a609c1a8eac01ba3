import { bytesFromByteString } from "./byte-string.ts";
import type { PackedRefs } from "./packed-refs.ts";
import type { Ref } from "./ref-store.ts";
import { compareNames } from "./sorted-names.ts";

/** About how much one chunk holds. Unit: bytes. */
const CHUNK_BYTES = 64 * 1024;

/**
 * The bytes of a packed-refs file with these refs, in chunks. All have to hold ids and to know what they peel to.
 * Spec: git-pack-refs.
 */
export function* formatPackedRefs(refs: readonly Ref[]): Generator<Uint8Array> {
  function* lines(): Generator<string> {
    yield "# pack-refs with: peeled fully-peeled sorted \n";
    for (const { name, target, peeled } of [...refs].sort((a, b) => compareNames(a.name, b.name))) {
      if (target.kind !== "id") throw new TypeError(`${name} is symbolic: packed-refs has no place for it`);
      if (peeled === undefined) throw new TypeError(`it is not known what ${name} peels to`);
      yield peeled === null ? `${target.id} ${name}\n` : `${target.id} ${name}\n^${peeled}\n`;
    }
  }
  yield* chunks(lines());
}

/**
 * The bytes of `packed` less the refs in `names`, in chunks. Lines are copied as they are, and the header promises
 * no more than before, except that names are in order.
 */
export function* packedRefsWithout(packed: PackedRefs, names: ReadonlySet<string>): Generator<Uint8Array> {
  function* lines(): Generator<string> {
    const { peeled, fullyPeeled } = packed.traits;
    yield `# pack-refs with: ${peeled ? "peeled " : ""}${fullyPeeled ? "fully-peeled " : ""}sorted \n`;
    yield* packed.lines(names);
  }
  yield* chunks(lines());
}

function* chunks(lines: Iterable<string>): Generator<Uint8Array> {
  let text = "";
  for (const line of lines) {
    text += line;
    if (text.length < CHUNK_BYTES) continue;
    yield bytesFromByteString(text);
    text = "";
  }
  if (text !== "") yield bytesFromByteString(text);
}
