#!/usr/bin/env node
import { setTimeout } from "node:timers/promises";
import { commandLine, main } from "./main.ts";
import { flushed } from "./stdio/flushed.ts";

const status = await main(commandLine(process.argv[1] ?? "", process.argv.slice(2)));
const { stdout, stderr } = process;
await Promise.race([
  Promise.all([flushed(stdout), flushed(stderr)]),
  // After a failure a client that has stopped reading is not waited for.
  ...(status === 0 ? [] : [setTimeout(5000, undefined, { ref: false })]),
]);
// What is still open, a pool of threads or standard input, does not keep us.
process.exit(status);
