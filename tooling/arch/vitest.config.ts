import { mergeConfig, type ViteUserConfig } from "vitest/config";
import shared from "../vitest.ts";

const config: ViteUserConfig = mergeConfig(shared, { test: { include: ["test/**/*.test.mjs"] } });
export default config;
