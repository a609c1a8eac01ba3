import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Every package's tests in one run: for coverage, and for `vitest --watch` at the root. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    projects: ["packages/*"],
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      exclude: ["packages/cli/src/bin.ts"],
      reporter: ["text-summary", "json-summary", "lcov"],
      reportsDirectory: "reports/coverage",
    },
  },
});
