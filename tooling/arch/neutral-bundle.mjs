// Rule: a neutral package's build, with everything it imports, bundles for a runtime that has no node:* at all.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { TABLE } from "./table.mjs";

// esbuild is tsup's; asking tsup for it keeps the two the same.
const require = createRequire(import.meta.url);
const { build } = createRequire(require.resolve("tsup"))("esbuild");

export async function checkNeutralBundles(root, packages) {
  const violations = [];
  for (const pkg of packages) {
    if (!TABLE.get(pkg.name)?.neutral) continue;
    const entry = join(pkg.directory, "dist/index.js");
    const file = `${pkg.path}/dist/index.js`;
    const violate = (message, path = file, line = 1) =>
      violations.push({ file: path, line, rule: "neutral-bundle", message });
    if (!existsSync(entry)) {
      violate("not built; run `pnpm build` first");
      continue;
    }
    try {
      await build({
        absWorkingDir: root,
        entryPoints: [entry],
        bundle: true,
        format: "esm",
        platform: "neutral",
        sourcemap: false,
        write: false,
        logLevel: "silent",
      });
    } catch (error) {
      for (const { text, location } of error.errors ?? [{ text: String(error) }])
        violate(text, location?.file ?? file, location?.line ?? 1);
    }
  }
  return violations;
}
