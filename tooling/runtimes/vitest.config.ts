import { mergeConfig } from "vitest/config";
import shared from "../vitest.ts";

/** Each file starts servers and git processes of its own. */
export default mergeConfig(shared, { test: { testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 } });
