// The measurements. Each takes a running server (`{ pid, port }`) and gives named numbers.
import { fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cpuSeconds, settled, threadSeconds, watchMemory } from "./proc.mjs";
import { listRefsOnce } from "./raw-client.mjs";
import { median } from "./statistics.mjs";

const FETCHER = fileURLToPath(new URL("fetch-process.mjs", import.meta.url));
const THIN_FETCHES = fileURLToPath(new URL("thin-fetches.mjs", import.meta.url));
const MIB = 1024 * 1024;

function fetchInProcess(port, repository, onEvent = () => {}) {
  return inProcess(FETCHER, [port, repository], ({ event }) => onEvent(event));
}

/** @returns its last message */
function inProcess(script, args, onMessage = () => {}) {
  return new Promise((resolve, reject) => {
    const child = fork(script, args.map(String));
    let last;
    child.on("message", (message) => {
      last = message;
      onMessage(message);
    });
    child.on("error", reject);
    child.on("close", (status) =>
      status === 0 && last ? resolve(last) : reject(new Error("the fetch did not end well; see above")),
    );
  });
}

/**
 * CPU time and memory of the server while `work` runs and until its children are gone.
 * @param clock where it takes the time from
 */
async function costOf(server, work, clock = cpuSeconds) {
  await settled(server);
  const before = clock(server);
  const memory = watchMemory(server.pid);
  const result = await work();
  await settled(server);
  return { result, cpu: clock(server) - before, rss: memory() };
}

/** Everything, fetched once. @throws Error when the pack has not the expected number of objects, if that is known */
export async function fullFetch(server, repository, objects) {
  const { result, cpu, rss } = await costOf(server, () => fetchInProcess(server.port, repository));
  if (objects !== undefined && result.objects !== objects)
    throw new Error(`a fetch gave ${result.objects} objects of ${objects}`);
  return {
    cpu,
    wall: result.wallMs / 1000,
    prepared: result.preparedMs / 1000,
    rss,
    bytes: result.bytes / MIB,
  };
}

/** Everything, fetched `count` times. @returns what one costs: the middle one's wall time, and all together the server */
export async function fullFetchesInTurn(server, repository, way, count) {
  const port = way === "git://" ? server.port : server.httpPort;
  const fetching = () => inProcess(THIN_FETCHES, [port, server.port, repository, way, count]);
  const { result, cpu } = await costOf(server, fetching, threadSeconds);
  return { cpu: cpu / count, wall: result.wallMs / 1000, objects: result.objects };
}

/** ls-remote every 20 ms, each on its own connection, while a full fetch is prepared and while it is sent. */
export async function latencyWhileFetching(server, repository) {
  // The first few questions find nothing compiled and nothing read; that is not what is asked about here.
  for (let warm = 0; warm < 20; warm++) await listRefsOnce(server.port, repository);
  let firstByteAt = Number.POSITIVE_INFINITY;
  let asking = false;
  const times = { preparing: [], sending: [] };
  const onEvent = (event) => {
    if (event === "asking") asking = true;
    if (event === "first-byte") firstByteAt = performance.now();
    if (event === "done") asking = false;
  };
  const fetching = fetchInProcess(server.port, repository, onEvent);
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

/** Stock git pushes `refspec`, or everything in `source`, to a repository. */
export async function push(server, git, source, name, refspec = "refs/*:refs/*") {
  let wall = 0;
  const { cpu, rss } = await costOf(server, async () => {
    const started = performance.now();
    await git.start("-C", source, "push", "-q", `git://127.0.0.1:${server.port}/${name}`, refspec);
    wall = (performance.now() - started) / 1000;
  });
  return { cpu, rss, wall };
}

/**
 * What a request costs a server that was never asked, what it costs in the long run, and how many a second there are.
 * @param request is given the server; its connections are its own
 */
export async function firstAndEach(server, request, { seconds = 2, atOnce = 1 } = {}) {
  await quiet(server);
  const first = await costOf(server, () => request(server));
  // Code is compiled while it runs often: a few turns belong to neither figure.
  const until = performance.now() + WARM_MS;
  for (let turn = 0; turn < WARM_TURNS || performance.now() < until; turn++) await request(server);
  let count = 0;
  let last = performance.now();
  const { cpu } = await costOf(server, async () => {
    const started = performance.now();
    const client = async () => {
      while (performance.now() < started + seconds * 1000) {
        await request(server);
        count++;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, client));
    last = performance.now() - started;
  });
  return { firstMs: first.cpu * 1000, eachMs: (cpu * 1000) / count, perSecond: (count * 1000) / last };
}

const WARM_MS = 500;
/** A long request would be warmed only once in that time. */
const WARM_TURNS = 8;

/** Waits until a server that was just started has nothing left to do. */
async function quiet(server) {
  for (let before = -1, now = cpuSeconds(server); now !== before; now = cpuSeconds(server)) {
    before = now;
    await sleep(150);
  }
}
