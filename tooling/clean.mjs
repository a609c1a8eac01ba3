// Removes the named folders of the package it runs in.
import { rmSync } from "node:fs";

for (const name of process.argv.slice(2)) rmSync(name, { recursive: true, force: true });
