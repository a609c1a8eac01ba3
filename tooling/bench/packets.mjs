// pkt-lines and the requests of protocol v2, for the rig's own clients.
export const line = (text) => (text.length + 4).toString(16).padStart(4, "0") + text;
const FLUSH = "0000";
const DELIM = "0001";
const PACK_HEADER = 12;

/** Reads packets off a stream. Sizes are taken as they come: the peer is a server that this rig started. */
export class Packets {
  #chunks = [];
  #length = 0;
  #wake;
  #ended;
  constructor(stream) {
    stream.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake?.();
    });
    const end = (error) => {
      this.#ended ??= error ?? new Error("the server closed the connection");
      this.#wake?.();
    };
    stream.on("error", end);
    stream.on("close", () => end());
  }

  async #take(count) {
    while (this.#length < count) {
      if (this.#ended) throw this.#ended;
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#chunks[0].length < count) {
      // No more than it takes: all of them each time would be quadratic.
      let parts = 1;
      for (let length = this.#chunks[0].length; length < count; parts++) length += this.#chunks[parts].length;
      this.#chunks.splice(0, parts, Buffer.concat(this.#chunks.slice(0, parts)));
    }
    const first = this.#chunks[0];
    if (first.length === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    this.#length -= count;
    return first.subarray(0, count);
  }

  /** @returns the payload, or the number of a special packet */
  async next() {
    const length = Number.parseInt((await this.#take(4)).toString("latin1"), 16);
    if (length < 4) return length;
    const payload = length === 4 ? Buffer.alloc(0) : await this.#take(length - 4);
    if (payload.subarray(0, 4).toString("latin1") === "ERR ") throw new Error(payload.toString());
    return payload;
  }

  async section() {
    const lines = [];
    for (;;) {
      const packet = await this.next();
      if (typeof packet === "number") return lines;
      lines.push(packet.toString("latin1").replace(/\n$/, ""));
    }
  }

  /** The answer to a fetch. @returns bytes of the pack and the objects that its header promises; none without a pack */
  async pack(onFirstByte) {
    let inPack = false;
    let bytes = 0;
    let head = Buffer.alloc(0);
    for (;;) {
      const packet = await this.next();
      if (packet === 0) return { bytes, objects: bytes === 0 ? undefined : head.readUInt32BE(8) };
      if (typeof packet === "number") continue;
      if (!inPack) {
        inPack = packet.toString("latin1") === "packfile\n";
        continue;
      }
      if (packet[0] === 3) throw new Error(packet.toString("latin1", 1));
      if (packet[0] !== 1) continue;
      if (bytes === 0) onFirstByte?.();
      if (head.length < PACK_HEADER) head = Buffer.concat([head, packet.subarray(1, 1 + PACK_HEADER)]);
      bytes += packet.length - 1;
    }
  }
}

function command(name, format, args) {
  const head = line(`command=${name}\n`) + line("agent=x-bench\n") + line(`object-format=${format}\n`);
  return head + DELIM + args.map((text) => line(`${text}\n`)).join("") + FLUSH;
}

/** @param exchange sends a request; gives the {@link Packets} that its answer comes in */
export function clientOf(capabilities, exchange, close) {
  if (capabilities[0] !== "version 2") throw new Error(`not protocol v2: ${capabilities[0]}`);
  const value = (key) => capabilities.find((text) => text.startsWith(`${key}=`))?.slice(key.length + 1);
  const format = value("object-format") ?? "sha1";
  return {
    /** Whether fetches may be filtered. */
    filters: value("fetch")?.split(" ").includes("filter") === true,
    async listRefs(prefixes = []) {
      const args = ["peel", "symrefs", ...prefixes.map((prefix) => `ref-prefix ${prefix}`)];
      return (await exchange(command("ls-refs", format, args))).section();
    },
    /** @param args further lines. With `done: false` the server may end the negotiation when it knows enough. */
    async fetch({ wants, haves = [], args = [], done = true, onFirstByte }) {
      const lines = ["no-progress", "ofs-delta", "include-tag", ...args];
      lines.push(...wants.map((id) => `want ${id}`), ...haves.map((id) => `have ${id}`));
      if (done) lines.push("done");
      return (await exchange(command("fetch", format, lines))).pack(onFirstByte);
    },
    close,
  };
}
