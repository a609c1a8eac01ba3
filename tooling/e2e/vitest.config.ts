import { mergeConfig } from "vitest/config";
import shared from "../vitest.ts";

/** Each file starts servers and git processes of its own, so few files run beside each other. */
export default mergeConfig(shared, {
  test: { testTimeout: 60_000, hookTimeout: 120_000, maxWorkers: 2 },
});
