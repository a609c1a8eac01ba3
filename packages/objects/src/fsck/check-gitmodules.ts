import { readConfigFile } from "../config-file.ts";
import type { Report } from "./report.ts";
import { isHarmlessSubmoduleName, isHarmlessSubmoduleUrl } from "./submodule-settings.ts";

/** More of a text is not shown. Unit: bytes. */
const MAX_SHOWN_BYTES = 4096;

/** What a section says of a submodule. */
interface Submodule {
  readonly section: string | undefined;
  readonly name: string;
  readonly isHarmless: boolean;
  /** Set where a NUL in the section's text ends what C git sees of every name in it. */
  readonly fixedKey: string | undefined;
}

/** Checks a `.gitmodules`, setting by setting. Spec: gitmodules; git-fsck, "FSCK MESSAGES". */
export function checkGitmodules(data: Uint8Array, report: Report): void {
  let last: string | undefined;
  let submodule: Submodule | undefined;
  let enough = false;
  const badLine = readConfigFile(data, (section, name, value) => {
    if (section !== last) {
      last = section;
      submodule = section === undefined ? undefined : submoduleOf(section);
    }
    if (submodule !== undefined) checkSetting(submodule, submodule.fixedKey ?? name, value, report);
    enough = report.full;
    return !enough;
  });
  if (badLine !== undefined && !enough) report.add("gitmodulesParse", "could not parse gitmodules blob");
}

function checkSetting(
  { name, isHarmless }: Submodule,
  key: string,
  value: string | undefined,
  report: Report,
): void {
  if (!isHarmless) report.add("gitmodulesName", `disallowed submodule name: ${shown(name)}`);
  if (value === undefined) return;
  const text = untilNul(value);
  if (key === "url" && !isHarmlessSubmoduleUrl(text))
    report.add("gitmodulesUrl", `disallowed submodule url: ${shown(text)}`);
  else if (key === "path" && text.startsWith("-"))
    report.add("gitmodulesPath", `disallowed submodule path: ${shown(text)}`);
  else if (key === "update" && text.startsWith("!"))
    report.add("gitmodulesUpdate", `disallowed submodule update setting: ${shown(text)}`);
}

const PREFIX = "submodule.";

/** @returns `undefined` when the section is not about a submodule */
function submoduleOf(section: string): Submodule | undefined {
  const seen = untilNul(section);
  if (!seen.startsWith(PREFIX)) return undefined;
  const dot = seen.length < section.length ? seen.lastIndexOf(".") : seen.length;
  if (dot < PREFIX.length) return undefined;
  const name = seen.slice(PREFIX.length, dot);
  const fixedKey = seen.length < section.length ? seen.slice(dot + 1) : undefined;
  return { section, name, isHarmless: isHarmlessSubmoduleName(name), fixedKey };
}

function untilNul(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

function shown(text: string): string {
  return text.slice(0, MAX_SHOWN_BYTES);
}
