import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { temporaryDirectory } from "@tooling/test-kit";

/**
 * What node loads before our command, so that it dies just before a step on disk: that of the name and number in the
 * environment, `FATAL_STEP=rename:2`.
 */
const SOURCE = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const [name, number] = (process.env.FATAL_STEP ?? "").split(":");
let count = 0;
const wrap = (object, key) => {
  const original = object[key];
  object[key] = function (...args) {
    if (++count === Number(number)) process.kill(process.pid, "SIGKILL");
    return original.apply(this, args);
  };
};
if (name !== "sync") {
  wrap(fs.promises, name);
  wrap(fs, name + "Sync");
} else {
  wrap(fs, "fsyncSync");
  const handle = await fs.promises.open("/dev/null");
  wrap(Object.getPrototypeOf(handle), "sync");
  await handle.close();
}
syncBuiltinESMExports();
`;

/** Arguments for node that make its process die at a step. */
export function fatalStepArguments(): readonly string[] {
  const path = `${temporaryDirectory("fatal")}/step.mjs`;
  writeFileSync(path, SOURCE);
  return ["--import", pathToFileURL(path).href];
}
