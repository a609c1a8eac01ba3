import { defineConfig } from "tsup";
import { library } from "../../tooling/tsup.ts";

export default defineConfig(library({ entry: ["src/index.ts", "src/node.ts", "src/testing.ts"] }));
