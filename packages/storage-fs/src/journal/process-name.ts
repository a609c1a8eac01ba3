import { createHash } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { systemCode } from "../errors.ts";

/*
 * <machine>.<boot>.<namespace>.<pid>.<start>
 * Hexadecimal and decimal digits; 0 for what the system does not tell.
 */

/** What tells a process from all others, also from one that has its number later. */
interface ProcessName {
  /** Stands for the machine's id and its host name. */
  readonly machine: string;
  /** Stands for one start of the machine. */
  readonly boot: string;
  /** Numbers of processes mean something within one namespace only. */
  readonly namespace: string;
  readonly pid: number;
  /** When it began, in the system's own unit. */
  readonly start: string;
}

/** The text form, as part of a larger pattern. */
export const PROCESS_NAME: string =
  "[0-9a-f]{1,12}\\.[0-9a-f]{1,12}\\.[0-9]{1,20}\\.[0-9]{1,10}\\.[0-9]{1,20}";

let own: Promise<ProcessName> | undefined;

/** This process, under a name that others can ask {@link isDead} about. */
export async function ownProcessName(): Promise<string> {
  own ??= readOwnName();
  const { machine, boot, namespace, pid, start } = await own;
  return [machine, boot, namespace, pid, start].join(".");
}

/**
 * Whether the process of that name has ended for sure. A process of another machine, or one whose number means nothing
 * here, never has.
 */
export async function isDead(name: string): Promise<boolean> {
  own ??= readOwnName();
  const ours = await own;
  const theirs = parseName(name);
  if (theirs === undefined || theirs.machine !== ours.machine) return false;
  if (theirs.boot !== ours.boot) return theirs.boot !== "0" && ours.boot !== "0";
  if (theirs.namespace !== ours.namespace) return false;
  const start = await startOf(theirs.pid);
  return start === "ended" || (start !== "unknown" && start !== theirs.start);
}

async function readOwnName(): Promise<ProcessName> {
  const text = (path: string) => readFile(path, "latin1").catch(() => "");
  const [machineId, boot, namespace, start] = await Promise.all([
    text("/etc/machine-id"),
    text("/proc/sys/kernel/random/boot_id"),
    readlink("/proc/self/ns/pid").catch(() => ""),
    startOf(process.pid),
  ]);
  return {
    machine: digest(`${machineId.trim()} ${hostname()}`),
    boot: boot === "" ? "0" : digest(boot.trim()),
    namespace: /[0-9]+/.exec(namespace)?.[0] ?? "0",
    pid: process.pid,
    start: /^[0-9]+$/.test(start) ? start : "0",
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

function parseName(name: string): ProcessName | undefined {
  if (!new RegExp(`^${PROCESS_NAME}$`).test(name)) return undefined;
  const [machine = "", boot = "", namespace = "", pid = "", start = ""] = name.split(".");
  return { machine, boot, namespace, pid: Number(pid), start };
}

/** Field 22 of /proc/PID/stat; the second one, the name, may hold anything. Spec: proc(5). */
async function startOf(pid: number): Promise<string> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, "latin1");
  } catch {
    return isRunning(pid) ? "unknown" : "ended";
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = ""] = fields;
  return state === "Z" || state === "X" ? "ended" : (fields[19] ?? "unknown");
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}
