// The least that speaks git://, protocol v2: it asks, counts the bytes of the answer and throws them away, so that
// a measurement shows the server and not a client that indexes what it gets.
import { connect } from "node:net";

const line = (text) => (text.length + 4).toString(16).padStart(4, "0") + text;
const PACK_HEADER = 12;
const FLUSH = "0000";
const DELIM = "0001";
const OPENING = "agent=x-bench\n";

/** Reads packets off a socket. Sizes are taken as they come: the peer is a server that this rig started. */
class Packets {
  #chunks = [];
  #length = 0;
  #wake;
  #ended;
  constructor(socket) {
    socket.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake?.();
    });
    const end = (error) => {
      this.#ended = error ?? new Error("the server closed the connection");
      this.#wake?.();
    };
    socket.on("error", end);
    socket.on("close", () => end());
  }

  async #take(count) {
    while (this.#length < count) {
      if (this.#ended) throw this.#ended;
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#chunks[0].length < count) this.#chunks = [Buffer.concat(this.#chunks)];
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
}

/** Opens a connection and reads what the server can do. */
export async function open(port, repository) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const packets = new Packets(socket);
  socket.write(line(`git-upload-pack /${repository}\0host=127.0.0.1\0\0version=2\0`));
  const capabilities = await packets.section();
  if (capabilities[0] !== "version 2") throw new Error(`not protocol v2: ${capabilities[0]}`);
  const format = capabilities.find((text) => text.startsWith("object-format=")) ?? "object-format=sha1";
  return {
    async listRefs() {
      socket.write(
        line("command=ls-refs\n") +
          line(OPENING) +
          line(`${format}\n`) +
          DELIM +
          line("peel\n") +
          line("symrefs\n") +
          FLUSH,
      );
      return packets.section();
    },
    /** @returns bytes of the pack and the objects that its header promises */
    async fetch({ wants, haves = [], onFirstByte }) {
      const args = ["no-progress", "ofs-delta", "include-tag"];
      args.push(...wants.map((id) => `want ${id}`), ...haves.map((id) => `have ${id}`), "done");
      socket.write(
        line("command=fetch\n") +
          line(OPENING) +
          line(`${format}\n`) +
          DELIM +
          args.map((text) => line(`${text}\n`)).join("") +
          FLUSH,
      );
      let inPack = false;
      let bytes = 0;
      let head = Buffer.alloc(0);
      for (;;) {
        const packet = await packets.next();
        if (packet === 0) return { bytes, objects: head.readUInt32BE(8) };
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
    },
    close: () => socket.destroy(),
  };
}

/** The distinct ids that a clone of everything wants. */
export function idsOf(refs) {
  return [...new Set(refs.map((text) => text.split(" ")[0]).filter((id) => /^[0-9a-f]+$/.test(id)))];
}

/** A connection for as long as `work` takes. */
export async function withClient(port, repository, work) {
  const client = await open(port, repository);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** ls-remote on a connection of its own. @returns milliseconds */
export async function listRefsOnce(port, repository) {
  const started = performance.now();
  await withClient(port, repository, (client) => client.listRefs());
  return performance.now() - started;
}
