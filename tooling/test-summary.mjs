// Adds up the vitest reports of every workspace package that has tests, says which tests failed and why, and prints
// one plain closing line.
//   node tooling/test-summary.mjs [STATUS]   STATUS: how the run itself ended, 0 when not given
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { testedPackages } from "./tested-packages.mjs";

/** Enough of a failure for what was expected and where. */
const REASON_LINES = 12;

const status = Number(process.argv[2] ?? 0);
console.log("=== summary of all tests");
let passed = 0;
let failed = 0;
let skipped = 0;
for (const { name, directory } of testedPackages()) {
  const file = join(directory, "reports/vitest.json");
  if (!existsSync(file)) {
    console.log(`${name}: no test report`);
    failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(file, "utf8"));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  for (const suite of report.testResults) {
    for (const test of suite.assertionResults)
      if (test.status === "failed") {
        console.log(`${name}: failed: ${test.fullName}`);
        for (const message of test.failureMessages) console.log(message.split("\n", REASON_LINES).join("\n"));
      }
    // A file that fails to load has no test of its own to count.
    if (suite.status === "failed" && suite.assertionResults.length === 0) {
      console.log(`${name}: did not load: ${suite.name}`);
      failed += 1;
    }
  }
}
// A rejection that nobody caught fails the run, and is in no report.
if (status !== 0 && failed === 0) {
  console.log(`the test run ended with status ${status}, though no test failed; see above`);
  failed = 1;
}
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
