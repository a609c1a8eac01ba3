import { type MessagePort, parentPort } from "node:worker_threads";
import type { ToWorker } from "./pool/worker-protocol.ts";
import { WorkerHost } from "./worker/worker-host.ts";

const port = parentPort as MessagePort;
const host = new WorkerHost((message, transfer) => port.postMessage(message, transfer));
port.on("message", (message: ToWorker) => host.receive(message));
