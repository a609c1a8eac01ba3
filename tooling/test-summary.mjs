// Adds up every packages/*/reports/vitest.json and prints one plain closing line.
import { existsSync, readdirSync, readFileSync } from "node:fs";

const packages = new URL("../packages/", import.meta.url);
let passed = 0;
let failed = 0;
let skipped = 0;
for (const name of readdirSync(packages)) {
  if (!existsSync(new URL(`${name}/package.json`, packages))) continue;
  const file = new URL(`${name}/reports/vitest.json`, packages);
  if (!existsSync(file)) {
    console.error(`${name}: no test report`);
    failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(file, "utf8"));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that fails to load has no test of its own to count.
  for (const suite of report.testResults)
    if (suite.status === "failed" && suite.assertionResults.length === 0) failed += 1;
}
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
if (failed > 0 || passed === 0) process.exitCode = 1;
