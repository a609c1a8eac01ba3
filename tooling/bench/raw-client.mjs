// The least that speaks protocol v2 over git:// and http: it asks, counts the bytes of the answer and throws them away,
// so that a measurement shows the server and not a client that indexes what it gets.
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { clientOf, line, Packets } from "./packets.mjs";

/** Opens a connection and reads what the server can do. */
export async function open(port, repository) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const packets = new Packets(socket);
  socket.write(line(`git-upload-pack /${repository}\0host=127.0.0.1\0\0version=2\0`));
  const exchange = (text) => {
    socket.write(text);
    return packets;
  };
  return clientOf(await packets.section(), exchange, () => socket.destroy());
}

/** The same over http, all requests on one connection. */
export async function openHttp(port, repository) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { "git-protocol": "version=2" };
      if (body !== undefined) {
        headers["content-type"] = "application/x-git-upload-pack-request";
        headers["content-length"] = body.length;
      }
      const sent = request(
        { agent, host: "127.0.0.1", port, method, path: `/${repository}/${path}`, headers },
        (answer) => {
          if (answer.statusCode === 200) resolve(new Packets(answer));
          else reject(new Error(`HTTP status ${answer.statusCode}`));
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  const packets = await ask("GET", "info/refs?service=git-upload-pack");
  let capabilities = await packets.section();
  if (capabilities[0] === "# service=git-upload-pack") capabilities = await packets.section();
  return clientOf(
    capabilities,
    (text) => ask("POST", "git-upload-pack", text),
    () => agent.destroy(),
  );
}

/** The distinct ids that a clone of everything wants. */
export function idsOf(refs) {
  return [...new Set(refs.map((text) => text.split(" ")[0]).filter((id) => /^[0-9a-f]+$/.test(id)))];
}

/** A connection for as long as `work` takes. */
export async function withClient(opening, work) {
  const client = await opening;
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** ls-remote on a connection of its own. @returns milliseconds */
export async function listRefsOnce(port, repository) {
  const started = performance.now();
  await withClient(open(port, repository), (client) => client.listRefs());
  return performance.now() - started;
}
