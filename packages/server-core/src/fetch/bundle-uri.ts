import { encodeInChunks, flush, lineText, type Writable } from "@x/pktline";
import { protocolError, quote, type Session } from "../session.ts";
import { readArguments, type V2Command } from "./v2-command.ts";

/**
 * The v2 command that tells where bundles lie: all settings of the section `bundle`, `<key>=<value>` each.
 * Spec: gitprotocol-v2, "bundle-uri"; git-config, `bundle.*`.
 */
export async function* bundleUri(
  session: Session,
  command: V2Command,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const [first] of readArguments(session, command))
    if (first !== undefined)
      throw protocolError(`bundle-uri: unexpected argument: ${quote(lineText(first))}`);
  const lines: Writable[] = [];
  for (const { key, value } of session.repository.config.entries?.("bundle.") ?? []) {
    if (value !== undefined && value !== "") lines.push(`${key}=${value}`);
    else session.logger?.warn({ key }, "a setting without a value is not told to clients");
  }
  yield* encodeInChunks([...lines, flush]);
}
