// Many clients at once that do nothing: some have asked for nothing, some for everything, and none of them reads.
import { request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fullFetch } from "./measure.mjs";
import { line } from "./packets.mjs";
import { residentMemory } from "./proc.mjs";
import { idsOf, open, withClient } from "./raw-client.mjs";

const IDLE = 500;
const STALLED = 100;
/** Clones before, beside and after. The fastest of each count: whatever else the machine does makes none of them faster. */
const CLONES = 7;

/** Connections that have had an answer to their first request and say nothing more. @returns MiB that they add */
export async function idleConnections(server, repository, way) {
  await fullFetch(server, repository, undefined);
  const openIdle = way === "git://" ? idleGit : idleHttp;
  const warm = await openAll(20, () => openIdle(server, repository));
  for (const socket of warm) socket.destroy();
  await sleep(1000);
  const before = residentMemory(server.pid);
  const sockets = await openAll(IDLE, () => openIdle(server, repository));
  await sleep(1000);
  const added = residentMemory(server.pid) - before;
  const left = sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
  if (left < IDLE) throw new Error(`only ${left} of ${IDLE} idle connections were left open`);
  for (const socket of sockets) socket.destroy();
  return added;
}

/** @returns MiB that clients add who ask for a clone and do not read it, and how much slower another's clone gets */
export async function stalledReaders(server, repository, way) {
  const wants = await withClient(open(server.port, repository), async (client) =>
    idsOf(await client.listRefs()),
  );
  const clone = async () => (await fullFetch(server, repository, undefined)).wall;
  for (let warm = 0; warm < 2; warm++) await clone();
  const alone = [];
  for (let turn = 0; turn < CLONES; turn++) alone.push(await clone());
  await sleep(1000);
  const before = residentMemory(server.pid);
  const stall = way === "git://" ? stalledGit : stalledHttp;
  const sockets = await openAll(STALLED, () => stall(server, repository, wants));
  // All have their first bytes; what comes without being asked for has come when memory grows no more.
  let most = 0;
  for (
    let last = -1, now = residentMemory(server.pid);
    Math.abs(now - last) > 1;
    now = residentMemory(server.pid)
  ) {
    last = now;
    most = Math.max(most, now - before);
    await sleep(1500);
  }
  most = Math.max(most, residentMemory(server.pid) - before);
  const beside = [];
  for (let turn = 0; turn < CLONES; turn++) beside.push(await clone());
  const left = sockets.filter((socket) => !socket.destroyed).length;
  if (left < STALLED) throw new Error(`only ${left} of ${STALLED} stalled readers were left`);
  for (const socket of sockets) socket.destroy();
  for (let turn = 0; turn < CLONES; turn++) alone.push(await clone());
  return { added: most, slower: Math.min(...beside) / Math.min(...alone) };
}

/** A few at a time: a queue of the system's holds 511 at most. */
async function openAll(count, openOne) {
  const sockets = [];
  while (sockets.length < count)
    sockets.push(
      ...(await Promise.all(Array.from({ length: Math.min(20, count - sockets.length) }, openOne))),
    );
  return sockets;
}

function idleGit({ port }, repository) {
  return firstBytes(port, line(`git-upload-pack /${repository}\0host=127.0.0.1\0\0version=2\0`));
}

function stalledGit({ port }, repository, wants) {
  const hello = line(`git-upload-pack /${repository}\0host=127.0.0.1\0\0version=2\0`);
  return firstBytes(port, hello + fetchRequest(wants), "packfile");
}

function idleHttp({ httpPort }, repository) {
  const path = `/${repository}/info/refs?service=git-upload-pack`;
  return firstBytes(httpPort, `GET ${path} HTTP/1.1\r\nHost: h\r\nGit-Protocol: version=2\r\n\r\n`);
}

function stalledHttp({ httpPort }, repository, wants) {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1",
      port: httpPort,
      method: "POST",
      path: `/${repository}/git-upload-pack`,
      headers: {
        "git-protocol": "version=2",
        "content-type": "application/x-git-upload-pack-request",
      },
      agent: false,
    });
    sent.on("response", (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`HTTP status ${answer.statusCode}`));
      answer.once("readable", () => resolve(answer.socket.pause()));
    });
    sent.on("error", reject);
    sent.end(fetchRequest(wants));
  });
}

function fetchRequest(wants) {
  const lines = ["no-progress", "ofs-delta", ...wants.map((id) => `want ${id}`), "done"];
  return `${line("command=fetch\n")}0001${lines.map((text) => line(`${text}\n`)).join("")}0000`;
}

/** Sends `text`, reads until `sign` has come, or anything, and no further. */
function firstBytes(port, text, sign = "") {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let heard = "";
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      if (heard.includes("ERR ")) reject(new Error(heard));
      if (heard === "" || !heard.includes(sign)) return;
      socket.pause();
      resolve(socket);
    });
    socket.on("close", () => reject(new Error(`closed after ${JSON.stringify(heard.slice(0, 200))}`)));
    socket.write(text);
  });
}
