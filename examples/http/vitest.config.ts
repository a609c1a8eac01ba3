import { mergeConfig } from "vitest/config";
import shared from "../../tooling/vitest.ts";

/** Each test starts a server and git processes of its own. */
export default mergeConfig(shared, { test: { testTimeout: 60_000, hookTimeout: 60_000 } });
