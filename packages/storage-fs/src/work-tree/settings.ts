import type { LineEndingSettings } from "@x/objects";
import { parseConfigBoolean } from "../config/config-value.ts";
import type { FileConfig } from "../config/repository-config.ts";

/** What a repository's settings mean for its work trees. Goes to a worker: plain data. */
export interface WorkTreeSettings {
  /** The system keeps the executable bit. Spec: git-config, `core.fileMode`. */
  readonly fileMode: boolean;
  /** It has symlinks; else they are files that hold where they lead. Spec: `core.symlinks`. */
  readonly symlinks: boolean;
  /** Names that differ in case alone are the same. Spec: `core.ignoreCase`. */
  readonly ignoreCase: boolean;
  /** Spec: `core.trustctime`. */
  readonly trustCtime: boolean;
  /** All that `lstat` says counts, not just size and time. Spec: `core.checkStat`. */
  readonly checkStat: boolean;
  /** Spec: `index.skipHash`. */
  readonly skipHash: boolean;
  /** Of an index that is made anew. Spec: `index.version`. */
  readonly indexVersion: 2 | 3 | 4;
  readonly conversion: ConversionSettings;
  /** Only some of the files are to be there, which is not known here. Spec: `core.sparseCheckout`. */
  readonly sparse: boolean;
}

/** How files differ from the blobs they are made of. */
export interface ConversionSettings extends LineEndingSettings {
  /** Drivers that would change a file when it is checked out. Spec: gitattributes, `filter`. */
  readonly filters: readonly string[];
  /** A file of attributes of the user's own. Spec: `core.attributesFile`. */
  readonly attributesFile: string | undefined;
}

/** Reads the settings. */
export function readWorkTreeSettings(config: FileConfig): WorkTreeSettings {
  const isOn = (key: string, otherwise: boolean) =>
    parseConfigBoolean(config.get(key) ?? String(otherwise)) ?? otherwise;
  const manyFiles = isOn("feature.manyFiles", false);
  return {
    fileMode: isOn("core.fileMode", true),
    symlinks: isOn("core.symlinks", true),
    ignoreCase: isOn("core.ignoreCase", false),
    trustCtime: isOn("core.trustctime", true),
    checkStat: config.get("core.checkStat")?.toLowerCase() !== "minimal",
    skipHash: isOn("index.skipHash", manyFiles),
    indexVersion: indexVersion(config.get("index.version") ?? (manyFiles ? "4" : "2")),
    conversion: {
      autocrlf: autocrlf(config.get("core.autocrlf") ?? "false"),
      eol: config.get("core.eol")?.toLowerCase() === "crlf" ? "crlf" : "lf",
      filters: [...filters(config)],
      attributesFile: config.get("core.attributesFile"),
    },
    sparse: isOn("core.sparseCheckout", false),
  };
}

function indexVersion(text: string): 2 | 3 | 4 {
  return text === "4" ? 4 : text === "3" ? 3 : 2;
}

function autocrlf(text: string): ConversionSettings["autocrlf"] {
  if (text.toLowerCase() === "input") return "input";
  return parseConfigBoolean(text) === true ? "true" : "false";
}

function filters(config: FileConfig): Set<string> {
  const names = new Set<string>();
  for (const { key } of config.entries("filter.")) {
    const match = /^filter\.(.*)\.(?:smudge|clean|process|required)$/s.exec(key);
    if (match !== null) names.add(match[1] as string);
  }
  return names;
}
