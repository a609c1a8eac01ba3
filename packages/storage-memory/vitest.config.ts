import { mergeConfig } from "vitest/config";
import shared from "../../tooling/vitest.ts";

/** Servers are closed, and clones removed, while the machine is busy with other tests. */
export default mergeConfig(shared, { test: { hookTimeout: 60_000 } });
