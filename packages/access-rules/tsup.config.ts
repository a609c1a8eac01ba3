import { defineConfig } from "tsup";
import { library } from "../../tooling/tsup.ts";

/** The worker is started by its file, and is no entry of the package. */
export default defineConfig(library({ entry: ["src/index.ts", "src/password-worker.ts"] }));
