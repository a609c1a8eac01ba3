import { defineConfig } from "tsup";
import { library } from "../../tooling/tsup.ts";

/**
 * The command is a bundle with all that it needs, for behind ssh it is started once for each request, and to read one
 * file takes less time than to find twelve. What only some commands need lies in chunks of its own, the workers that
 * `serve` starts among them. `commander` and `ssh2` are no ESM, and no command that has to be quick loads it. Who
 * signed a push is asked so seldom, and with so large a library, that it stays in a package of its own.
 */
export default defineConfig([
  library({ entry: ["src/index.ts"] }),
  {
    ...library(),
    entry: {
      bin: "src/bin.ts",
      worker: "../storage-fs/src/worker.ts",
      "password-worker": "../access-rules/src/password-worker.ts",
    },
    noExternal: [/^@x\/(?!push-certificates$)/, /^@noble\//, "pako", "bcryptjs", "unixcrypt"],
    platform: "node",
    dts: false,
    sourcemap: false,
    splitting: true,
  },
]);
