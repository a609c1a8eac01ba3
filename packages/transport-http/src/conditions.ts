/** What a file is known by. */
export interface Validators {
  /** With its quotes; a strong one. */
  readonly etag: string | undefined;
  /** Whole seconds since 1970. */
  readonly modified: number | undefined;
}

/** Whether the client has it already. Spec: RFC 9110, sections 13.1.2, 13.1.3. */
export function isNotModified(
  header: (name: string) => string | undefined,
  { etag, modified }: Validators,
): boolean {
  const none = header("if-none-match");
  if (none !== undefined) {
    const tags = none.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return etag !== undefined && (tags.includes(etag) || none.trim() === "*");
  }
  const since = secondsOf(header("if-modified-since"));
  return since !== undefined && modified !== undefined && modified <= since;
}

/** Whether a range of what the client has in part is a range of this. Spec: RFC 9110, section 13.1.5. */
export function mayContinue(header: string | undefined, { etag, modified }: Validators): boolean {
  if (header === undefined) return true;
  const text = header.trim();
  if (text.startsWith('"') || text.startsWith("W/")) return text === etag;
  return modified !== undefined && secondsOf(text) === modified;
}

/** Only the form that is to be written today. Unit: seconds since 1970. */
function secondsOf(date: string | undefined): number | undefined {
  if (date === undefined || !/^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$/.test(date))
    return undefined;
  const ms = Date.parse(date);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}
