import assert from "node:assert/strict";
import { lineText, PacketReader } from "@x/pktline";

/** What a client that pushes sends, cut as the network likes it: commands, a flush packet, a pack. */
async function* request(): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode("0012first command\n0013second command\n0000PACK...");
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

const reader = new PacketReader(request());
const commands = await reader.readSection({ maxBytes: 3 << 20 });
assert(commands.end === "flush");
assert(commands.payloads.map(lineText).join() === "first command,second command");

let pack = "";
for await (const chunk of reader.rest()) pack += new TextDecoder().decode(chunk);
assert(pack === "PACK...");
