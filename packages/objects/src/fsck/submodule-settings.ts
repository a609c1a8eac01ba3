import { normalizeUrl } from "./normalize-url.ts";

/** Whether a submodule's name stays where submodules are kept: it is not empty and no component of it is `..`. */
export function isHarmlessSubmoduleName(name: string): boolean {
  return name !== "" && !/(?:^|[/\\])\.\.(?:[/\\]|$)/.test(name);
}

/** Transports that C git leaves to its helper for curl, named outright or by the URL. */
const NAMED_HELPER = /^(?:http|https|ftp|ftps)::/;
const CURL_URL = /^(?:http|https|ftp|ftps):\/\//;

/**
 * Whether older gits can be given this URL: it is no option, and neither a line feed in it nor leading `../` make them
 * take another host's credentials. Byte-exact: one character for each byte, no NUL.
 */
export function isHarmlessSubmoduleUrl(url: string): boolean {
  if (url.startsWith("-")) return false;
  if (/^\.\.?[/\\]/.test(url) || url.startsWith("git://")) {
    if (url.includes("\n") || /%0a/i.test(afterScheme(url))) return false;
    return !escapesUpwards(url);
  }
  const helper = NAMED_HELPER.exec(url);
  if (helper === null && !CURL_URL.test(url)) return true;
  const normalized = normalizeUrl(helper === null ? url : url.slice(helper[0].length));
  return normalized !== undefined && !normalized.includes("%0A");
}

/** What is decoded of a URL: everything from its first colon on, if something stands before that. */
function afterScheme(url: string): string {
  return url.slice(Math.max(url.indexOf(":"), 0));
}

/** Whether `../`, among `./` and with either slash, stands at the start, and `:` or `/` after all of them. */
function escapesUpwards(url: string): boolean {
  let upwards = false;
  let at = 0;
  while (url[at] === ".") {
    const slash = url[at + 1] === "." ? at + 2 : at + 1;
    if (url[slash] !== "/" && url[slash] !== "\\") break;
    upwards ||= slash === at + 2;
    at = slash + 1;
  }
  return upwards && (url[at] === ":" || url[at] === "/");
}
