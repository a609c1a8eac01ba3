import { lineText, type Packet, PktLineDecoder } from "@x/pktline";
import type { TraceTarget } from "./trace-target.ts";

const SPECIAL = { flush: "0000", delim: "0001", "response-end": "0002" } as const;
const PACK = "PACK";

/** Writes each packet of one direction as a line, as `GIT_TRACE_PACKET` has it; of a pack only that it begins. */
export class PacketTrace {
  readonly #target: TraceTarget;
  readonly #prefix: () => string;
  #decoder: PktLineDecoder | undefined = new PktLineDecoder();
  #inPack = false;

  /** @param prefix what stands before a packet: who it is that traces, and `<` or `>` */
  constructor(target: TraceTarget, prefix: () => string) {
    this.#target = target;
    this.#prefix = prefix;
  }

  /** Takes the next bytes in. The chunk must not be changed afterwards. */
  add(chunk: Uint8Array): void {
    this.#decoder?.feed(chunk);
    const lines: string[] = [];
    try {
      for (let packet = this.#next(); packet !== undefined; packet = this.#next()) {
        const text = this.#textOf(packet);
        if (text !== undefined) lines.push(`${this.#prefix()} ${text}\n`);
      }
    } catch {
      // No packets: a bare pack, or a peer that speaks something else.
      this.#decoder = undefined;
    }
    if (lines.length > 0) this.#target.write(lines.join(""));
  }

  #next(): Packet | undefined {
    return this.#decoder?.read();
  }

  #textOf(packet: Packet): string | undefined {
    if (packet.type !== "data") return SPECIAL[packet.type];
    const text = lineText(packet.payload);
    const band = text.charCodeAt(0);
    if (this.#inPack && band === 1) return undefined;
    if (text.startsWith(`\x01${PACK}`)) {
      this.#inPack = true;
      return "PACK ...";
    }
    return text.replace(/[^ -~]/g, (char) => (char === "\n" ? "" : `\\${char.charCodeAt(0).toString(8)}`));
  }
}
