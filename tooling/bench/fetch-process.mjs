// Full fetches, one after the other, in a process of their own, so that reading them does not hold up the rig's other clocks.
// Tells its parent `first-byte` and at the end `done`, with what the middle one of them took.
import { openHttpSocket } from "./http-socket.mjs";
import { idsOf, open } from "./raw-client.mjs";

const [port, repository, way, count] = process.argv.slice(2);

async function fetchOnce() {
  const client = await (way === "http://" ? openHttpSocket : open)(Number(port), repository);
  const wants = idsOf(await client.listRefs());
  process.send({ event: "asking" });
  const started = performance.now();
  let preparedMs = 0;
  const { bytes, objects } = await client.fetch({
    wants,
    onFirstByte() {
      preparedMs = performance.now() - started;
      process.send({ event: "first-byte" });
    },
  });
  client.close();
  return { bytes, objects, preparedMs, wallMs: performance.now() - started };
}

const fetches = [];
while (fetches.length < Number(count)) fetches.push(await fetchOnce());
const [middle] = fetches.sort((one, other) => one.wallMs - other.wallMs).slice(fetches.length >> 1);
process.send({ event: "done", ...middle });
process.disconnect();
