import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Every package of the workspace that has a test script. */
export function testedPackages() {
  return ["packages", "tooling", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .map((name) => ({ name: `${folder}/${name}`, directory: join(root, folder, name) }))
      .filter(({ directory }) => {
        const manifest = join(directory, "package.json");
        return existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).scripts?.test !== undefined;
      }),
  );
}
