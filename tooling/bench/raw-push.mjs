// The least that speaks receive-pack over git://, so that a measurement shows the server and not a client that looks
// for what to send.
import { connect } from "node:net";
import { line, Packets } from "./packets.mjs";

const ZERO = "0".repeat(40);
const CAPABILITIES = "report-status side-band-64k agent=x-bench";

/**
 * Pushes one ref with a pack that is ready, on a connection of its own.
 * @throws Error unless the server says that all is well
 * @returns milliseconds from connecting until the server has closed the connection
 */
export async function rawPush(port, repository, { ref, old = ZERO, id, pack }) {
  const started = performance.now();
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const closed = new Promise((resolve) => socket.on("close", resolve));
  const packets = new Packets(socket);
  socket.write(line(`git-receive-pack /${repository}\0host=127.0.0.1\0`));
  await packets.section();
  socket.write(Buffer.concat([Buffer.from(`${line(`${old} ${id} ${ref}\0${CAPABILITIES}`)}0000`), pack]));
  let report = "";
  for (let packet = await packets.next(); packet !== 0; packet = await packets.next())
    if (packet[0] === 1) report += packet.toString("latin1", 1);
  socket.end();
  await closed;
  if (!report.includes("unpack ok\n") || !report.includes(`ok ${ref}\n`))
    throw new Error(`refused: ${report}`);
  return performance.now() - started;
}
