import { type ObjectFormat, type ObjectId, parseObjectId } from "@x/objects";
import type { Logger, RepositoryConfig } from "../ports.ts";

/** A blob that clients may fetch as a pack of its own. */
interface PackfileUri {
  readonly object: ObjectId;
  /** What ends the pack. */
  readonly packHash: ObjectId;
  readonly uri: string;
}

/**
 * The packs that a repository's settings name, `<blob> <pack hash> <uri>` each. What cannot be read is passed over.
 * Spec: git-config, `uploadpack.blobPackfileUri`; packfile-uri, "Server design".
 */
export class PackfileUris {
  readonly #uris: readonly PackfileUri[];

  /** @param protocols those that the client takes */
  constructor(config: RepositoryConfig, format: ObjectFormat, protocols: readonly string[], logger?: Logger) {
    const uris = new Map<ObjectId, PackfileUri>();
    for (const value of config.getAll("uploadpack.blobPackfileUri")) {
      const parsed = parseSetting(value, format);
      if (parsed === undefined || uris.has(parsed.object))
        logger?.warn({ value }, "uploadpack.blobPackfileUri passed over");
      else if (protocols.some((protocol) => parsed.uri.startsWith(`${protocol}:`)))
        uris.set(parsed.object, parsed);
    }
    this.#uris = [...uris.values()];
  }

  /** Blobs that need not be in the pack. */
  get objects(): ObjectId[] {
    return this.#uris.map(({ object }) => object);
  }

  /** `<pack hash> <uri>` for those blobs that were left out, each once. */
  lines(leftOut: readonly ObjectId[]): string[] {
    const missing = new Set(leftOut);
    const lines = this.#uris.flatMap(({ object, packHash, uri }) =>
      missing.has(object) ? [`${packHash} ${uri}\n`] : [],
    );
    return [...new Set(lines)];
  }
}

function parseSetting(value: string, format: ObjectFormat): PackfileUri | undefined {
  const [object = "", packHash = "", ...rest] = value.split(" ");
  const uri = rest.join(" ");
  const id = parseObjectId(object.toLowerCase(), format);
  const hash = parseObjectId(packHash.toLowerCase(), format);
  if (id === undefined || hash === undefined || !/^[\x20-\x7e\x80-\xff]{1,8192}$/.test(uri)) return undefined;
  return { object: id, packHash: hash, uri };
}
