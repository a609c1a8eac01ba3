// One full fetch in a process of its own, so that reading it does not hold up the rig's other clocks.
// Tells its parent `first-byte` and `done`.
import { idsOf, open } from "./raw-client.mjs";

const [port, repository] = process.argv.slice(2);
const client = await open(Number(port), repository);
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
process.send({ event: "done", bytes, objects, preparedMs, wallMs: performance.now() - started });
process.disconnect();
