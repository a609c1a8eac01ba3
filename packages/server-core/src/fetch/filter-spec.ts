import { isObjectType, type ObjectFilter, type ObjectFormat, parseObjectId } from "@x/objects";
import { parseUnsigned } from "../config-value.ts";
import { plain, refused } from "../session.ts";

/** What a filter may be made of. */
export interface FilterLimits {
  readonly maxFilterDepth: number;
  readonly maxFilters: number;
}

/*
 * <spec> = blob:none | blob:limit=<n>[kmg] | tree:<n> | object:type=<type> | sparse:oid=<id> | combine:<part>{+<part>}
 * where a part is a spec with %XX for what is reserved. Spec: git-rev-list, `--filter=<filter-spec>`.
 */

/**
 * Reads the filter that a client sends, in git's words if it is none. Whether it may be used is not asked here.
 * @throws ServiceError `server-core/refused`
 */
export function parseFilterSpec(spec: string, format: ObjectFormat, limits: FilterLimits): ObjectFilter {
  return new FilterParser(format, limits).parse(spec, 0);
}

class FilterParser {
  readonly #format: ObjectFormat;
  readonly #limits: FilterLimits;
  #filters = 0;

  constructor(format: ObjectFormat, limits: FilterLimits) {
    this.#format = format;
    this.#limits = limits;
  }

  parse(spec: string, depth: number): ObjectFilter {
    const { maxFilterDepth, maxFilters } = this.#limits;
    if (depth > maxFilterDepth)
      throw refused(`the filter is nested deeper than maxFilterDepth (${maxFilterDepth})`);
    if (++this.#filters > maxFilters)
      throw refused(`the filter has more parts than maxFilters (${maxFilters})`);
    const at = spec.indexOf(":");
    const kind = at < 0 ? spec : spec.slice(0, at);
    const value = at < 0 ? "" : spec.slice(at + 1);
    switch (kind) {
      case "auto":
        if (at < 0) throw refused("'auto' filter not supported by this command");
        break;
      case "blob":
        return parseBlobFilter(spec, value);
      case "tree": {
        const steps = parseUnsigned(value);
        if (steps === undefined) throw refused("expected 'tree:<depth>'");
        return { kind: "tree-depth", depth: steps };
      }
      case "object":
        if (value.startsWith("type=")) return parseTypeFilter(value.slice(5));
        break;
      case "sparse":
        if (value.startsWith("oid=")) return this.#parseSparse(value.slice(4));
        if (value.startsWith("path=")) throw refused("sparse:path filters support has been dropped");
        break;
      case "combine":
        return this.#parseCombination(value, depth);
    }
    throw invalid(spec);
  }

  /** C git takes any expression that names a blob; an expression could see what no ref shows, so only an id will do. */
  #parseSparse(name: string): ObjectFilter {
    const patterns = parseObjectId(name.toLowerCase(), this.#format);
    if (patterns === undefined) throw refused(`unable to access sparse blob in '${plain(name)}'`);
    return { kind: "sparse", patterns };
  }

  #parseCombination(list: string, depth: number): ObjectFilter {
    if (list === "") throw refused("expected something after combine:");
    const filters: ObjectFilter[] = [];
    for (const part of list.split("+")) {
      if (part === "") continue;
      const reserved = RESERVED.exec(part)?.[0];
      if (reserved !== undefined) throw refused(`must escape char in sub-filter-spec: '${plain(reserved)}'`);
      filters.push(this.parse(decodePercent(part), depth + 1));
    }
    return { kind: "combine", filters };
  }
}

const RESERVED = /[^!-~]|[~`!@#$^&*()[\]{}\\;'",<>?]/;

function decodePercent(text: string): string {
  return text.replace(/%(?!00)([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)));
}

function parseBlobFilter(spec: string, value: string): ObjectFilter {
  if (value === "none") return { kind: "blob-none" };
  const limitBytes = value.startsWith("limit=") ? parseUnsigned(value.slice(6)) : undefined;
  if (limitBytes === undefined) throw invalid(spec);
  return { kind: "blob-limit", limitBytes };
}

function parseTypeFilter(type: string): ObjectFilter {
  if (!isObjectType(type))
    throw refused(`'${plain(type)}' for 'object:type=<type>' is not a valid object type`);
  return { kind: "object-type", type };
}

function invalid(spec: string): Error {
  return refused(`invalid filter-spec '${plain(spec)}'`);
}
