import assert from "node:assert/strict";
import { encodePackets, encodeSideband, flush, SIDEBAND_DATA, SIDEBAND_PROGRESS } from "@x/pktline";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

assert(
  text(encodePackets(["version 2\n", "ls-refs=unborn\n", flush])) ===
    "000eversion 2\n0013ls-refs=unborn\n0000",
);

// A pack and texts for the user share the line; 65520 is `side-band-64k`, 1000 is `side-band`.
assert(text(encodeSideband(SIDEBAND_PROGRESS, bytes("Counting\n"), 65520)) === "000e\u0002Counting\n");
assert(text(encodeSideband(SIDEBAND_DATA, bytes("PACK"), 65520)) === "0009\u0001PACK");
