// What Linux knows about a process: CPU time, memory, children.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux that Node runs on

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process is gone
  }
}

/** CPU seconds of a server: all threads, and every child it has waited for; these alone where only they are C git's. */
export function cpuSeconds({ pid, childrenOnly = false }) {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything; count the fields from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
  return (cutime + cstime + (childrenOnly ? 0 : utime + stime)) / TICKS_PER_SECOND;
}

/** CPU seconds of the threads that a process has, to the microsecond; what has ended, or is a child's, does not count. */
export function threadSeconds({ pid }) {
  const nanoseconds = tasks(pid).map((task) =>
    Number(read(`/proc/${pid}/task/${task}/schedstat`).split(" ")[0]),
  );
  return nanoseconds.reduce((sum, some) => sum + some, 0) / 1e9;
}

/** Every process below `pid`. */
function descendants(pid) {
  const below = [];
  for (const task of tasks(pid))
    for (const child of read(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean))
      below.push(Number(child), ...descendants(Number(child)));
  return below;
}

function tasks(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

const memory = (pid, field) =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;

/** What a process holds just now. @returns MiB */
export function residentMemory(pid) {
  return memory(pid, "VmRSS");
}

/**
 * Watches the resident memory of a process and of everything below it. The process's own peak is the kernel's;
 * that of the children together is the highest of samples.
 * @returns a function that stops and gives MiB
 */
export function watchMemory(pid, everyMs = 10) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5"); // starts the kernel's peak anew
  } catch {
    // then the peak is that since the process began
  }
  let children = 0;
  const sample = () => {
    const sum = descendants(pid).reduce((total, child) => total + memory(child, "VmRSS"), 0);
    children = Math.max(children, sum);
  };
  const timer = setInterval(sample, everyMs);
  return () => {
    clearInterval(timer);
    const own = memory(pid, "VmHWM");
    if (own === 0) throw new Error(`process ${pid} is gone: ${read(`/proc/${pid}/status`).slice(0, 200)}`);
    return own + children;
  };
}

/** Waits until the server has no children left, so that all their time is counted. */
export async function settled({ pid, port }) {
  for (let tries = 1; descendants(pid).length > 0; tries++) {
    await sleep(5);
    // `git daemon` may overlook the end of a child until somebody connects.
    if (tries % 40 === 0) connect({ port, host: "127.0.0.1" }).on("connect", hangUp).on("error", hangUp);
  }
  await sleep(50);
}

function hangUp() {
  this.destroy();
}
