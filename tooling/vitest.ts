import { defineConfig, type ViteUserConfig } from "vitest/config";

/** What every package's vitest.config.ts exports. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    benchmark: { include: ["bench/**/*.bench.ts"] },
    restoreMocks: true,
    testTimeout: 20_000,
    reporters: ["default", ["json", { outputFile: "reports/vitest.json" }]],
  },
});
export default config;
