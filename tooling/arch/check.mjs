// Holds the tree to the house plan:   node tooling/arch/check.mjs [ROOT]
// One line for each violation, `file:line rule: message`; exits 1 when there is one.
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkCycles } from "./cycles.mjs";
import { checkDependencies } from "./dependencies.mjs";
import { checkFiles } from "./files.mjs";
import { checkLimits } from "./limits.mjs";
import { checkNeutralBundles } from "./neutral-bundle.mjs";
import { readTree } from "./tree.mjs";

/** @returns every violation, in order of files */
export async function check(root) {
  const packages = readTree(root);
  const found = [
    ...checkDependencies(packages),
    ...checkCycles(packages),
    ...checkFiles(packages),
    ...checkLimits(root, packages),
    ...(await checkNeutralBundles(root, packages)),
  ];
  return found.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? fileURLToPath(new URL("../..", import.meta.url));
  const violations = await check(root);
  for (const { file, line, rule, message } of violations)
    console.error(`${file}:${line} ${rule}: ${message}`);
  console.log(
    violations.length === 0 ? "architecture: no violations" : `architecture: ${violations.length} violations`,
  );
  if (violations.length > 0) process.exitCode = 1;
}
