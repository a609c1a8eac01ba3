// The measurements. Each takes a running server (`{ pid, port }`) and gives named numbers.
import { fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cpuSeconds, settled, watchMemory } from "./proc.mjs";
import { idsOf, listRefsOnce, withClient } from "./raw-client.mjs";
import { median } from "./statistics.mjs";

const FETCHER = fileURLToPath(new URL("fetch-process.mjs", import.meta.url));
const MIB = 1024 * 1024;

function fetchInProcess(port, repository, onEvent = () => {}) {
  return new Promise((resolve, reject) => {
    const child = fork(FETCHER, [String(port), repository]);
    let result;
    child.on("message", (message) => {
      if (message.event === "done") result = message;
      onEvent(message.event);
    });
    child.on("error", reject);
    child.on("close", () =>
      result ? resolve(result) : reject(new Error("the fetch did not end well; see above")),
    );
  });
}

/** CPU time and memory of the server while `work` runs and until its children are gone. */
async function costOf(server, work) {
  await settled(server);
  const before = cpuSeconds(server.pid);
  const memory = watchMemory(server.pid);
  const result = await work();
  await settled(server);
  return { result, cpu: cpuSeconds(server.pid) - before, rss: memory() };
}

/** Everything, fetched once. @throws Error when the pack has not the expected number of objects */
export async function fullFetch(server, repository, objects) {
  const { result, cpu, rss } = await costOf(server, () => fetchInProcess(server.port, repository));
  if (result.objects !== objects) throw new Error(`a fetch gave ${result.objects} objects of ${objects}`);
  return {
    cpu,
    wall: result.wallMs / 1000,
    prepared: result.preparedMs / 1000,
    rss,
    bytes: result.bytes / MIB,
  };
}

/** ls-remote every 20 ms, each on its own connection, while a full fetch is prepared and while it is sent. */
export async function latencyWhileFetching(server, repository) {
  // The first few questions find nothing compiled and nothing read; that is not what is asked about here.
  for (let warm = 0; warm < 20; warm++) await listRefsOnce(server.port, repository);
  let firstByteAt = Number.POSITIVE_INFINITY;
  let asking = false;
  const times = { preparing: [], sending: [] };
  const fetching = fetchInProcess(server.port, repository, (event) => {
    if (event === "asking") asking = true;
    if (event === "first-byte") firstByteAt = performance.now();
    if (event === "done") asking = false;
  });
  let over = false;
  const finish = () => {
    over = true;
  };
  fetching.then(finish, finish);
  const pings = [];
  const ping = async () => {
    const started = performance.now();
    const took = await listRefsOnce(server.port, repository);
    // One that is on its way at the first byte is charged to the preparation for as long as that lasted.
    if (started < firstByteAt) times.preparing.push(Math.min(took, firstByteAt - started));
    if (started + took > firstByteAt) times.sending.push(took);
  };
  while (!over) {
    if (asking) pings.push(ping());
    await sleep(20);
  }
  await fetching;
  await Promise.all(pings);
  await settled(server);
  return { preparing: spread(times.preparing), sending: spread(times.sending) };
}

function spread(times) {
  return {
    p50: median(times),
    max: times.length === 0 ? Number.NaN : Math.max(...times),
    count: times.length,
  };
}

/** Stock git pushes everything in `source` to a repository that is empty. */
export async function push(server, git, source, name) {
  const started = performance.now();
  let wall = 0;
  const { cpu, rss } = await costOf(server, async () => {
    await git.start("-C", source, "push", "-q", `git://127.0.0.1:${server.port}/${name}`, "refs/*:refs/*");
    wall = (performance.now() - started) / 1000;
  });
  return { cpu, rss, wall };
}

/** How many small requests a second, and what one costs the server. */
export async function smallRequests(server, repository, seconds = 2) {
  const list = await repeat(server, seconds, () => listRefsOnce(server.port, repository));
  const wants = idsOf(await withClient(server.port, repository, (client) => client.listRefs()));
  const nothing = await repeat(server, seconds, () =>
    withClient(server.port, repository, (client) => client.fetch({ wants, haves: wants.slice(0, 256) })),
  );
  return { list, nothing };
}

const AT_ONCE = 4;

async function repeat(server, seconds, request) {
  await request();
  let count = 0;
  const { cpu } = await costOf(server, async () => {
    const until = performance.now() + seconds * 1000;
    const client = async () => {
      while (performance.now() < until) {
        await request();
        count++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, client));
  });
  return { perSecond: count / seconds, cpuMs: (cpu * 1000) / count };
}
