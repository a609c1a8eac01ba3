#!/usr/bin/env node
import { main } from "./main.ts";

const status = await main(process.argv.slice(2));
// Pipes are written at once, files too: nothing is lost, and nothing that is still open keeps us.
process.exit(status);
