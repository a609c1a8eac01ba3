import { mergeConfig } from "vitest/config";
import shared from "../vitest.ts";

/** Java takes its time. */
export default mergeConfig(shared, {
  test: { testTimeout: 120_000, hookTimeout: 120_000, maxWorkers: 2 },
});
