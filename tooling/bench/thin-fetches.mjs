// Full fetches, one after the other, by the least of a client in a process of its own: it says what git's own client says,
// keeps one connection for each as that does, and throws away what comes. What it costs is the same for both transports.
// Sends its parent the number of objects that the packs promise, and the wall time of the middle one.
import { connect } from "node:net";
import { line } from "./packets.mjs";
import { idsOf, open, withClient } from "./raw-client.mjs";

const [port, gitPort, repository, way, count] = process.argv.slice(2);
const isHttp = way === "http://";
const READ_BYTES = 256 * 1024;
/** What an answer ends with. */
const END = Buffer.from(isHttp ? "0000\r\n0\r\n\r\n" : "0000");
/** The head of the answer and the pack's own. */
const HEAD_BYTES = 2048;

/** Reads into one piece of memory. */
class Connection {
  #socket;
  #onBytes = () => {};

  constructor() {
    const callback = (length, memory) => {
      this.#onBytes(memory.subarray(0, length));
      return true;
    };
    const onread = { buffer: Buffer.alloc(READ_BYTES), callback };
    this.#socket = connect({ port: Number(port), host: "127.0.0.1", noDelay: true, onread });
  }

  /** @returns the beginning of the answer, once all of it has come */
  ask(text) {
    return new Promise((resolve, reject) => {
      let head = Buffer.alloc(0);
      let tail = Buffer.alloc(0);
      this.#onBytes = (bytes) => {
        if (head.length < HEAD_BYTES) head = Buffer.concat([head, bytes.subarray(0, HEAD_BYTES)]);
        tail = Buffer.concat([tail, bytes.subarray(-END.length)]).subarray(-END.length);
        if (tail.equals(END)) resolve(head);
      };
      for (const name of ["error", "close"])
        this.#socket.on(name, (error) =>
          reject(error || new Error(`closed after ${head.toString("latin1")}`)),
        );
      this.#socket.write(text);
    });
  }

  close() {
    this.#socket.destroy();
  }
}

function command(name, args) {
  return `${line(`command=${name}\n`)}0001${args.map((text) => line(`${text}\n`)).join("")}0000`;
}

function request(body) {
  if (!isHttp) return body;
  const lines = [
    `POST /${repository}/git-upload-pack HTTP/1.1`,
    "Host: localhost",
    "Git-Protocol: version=2",
    "Content-Type: application/x-git-upload-pack-request",
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

const hello = isHttp
  ? `GET /${repository}/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: localhost\r\nGit-Protocol: version=2\r\n\r\n`
  : line(`git-upload-pack /${repository}\0host=127.0.0.1\0\0version=2\0`);
const wants = await withClient(open(Number(gitPort), repository), async (client) =>
  idsOf(await client.listRefs()),
);
const fetching = ["no-progress", "ofs-delta", "include-tag", ...wants.map((id) => `want ${id}`), "done"];

async function fetchOnce() {
  const connection = new Connection();
  await connection.ask(hello);
  await connection.ask(request(command("ls-refs", ["peel", "symrefs"])));
  const started = performance.now();
  const head = await connection.ask(request(command("fetch", fetching)));
  const wallMs = performance.now() - started;
  connection.close();
  const at = head.indexOf("PACK", head.indexOf("packfile\n"));
  if (at < 0) throw new Error(`no pack: ${head.toString("latin1")}`);
  return { objects: head.readUInt32BE(at + 8), wallMs };
}

const fetches = [];
while (fetches.length < Number(count)) fetches.push(await fetchOnce());
fetches.sort((one, other) => one.wallMs - other.wallMs);
process.send(fetches[fetches.length >> 1]);
process.disconnect();
