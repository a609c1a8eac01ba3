/** The four kinds of object. */
export type ObjectType = "commit" | "tree" | "blob" | "tag";

/** Whether `text` names a kind of object. */
export function isObjectType(text: string): text is ObjectType {
  return text === "commit" || text === "tree" || text === "blob" || text === "tag";
}
