import { objectStoreCases, refStoreCases, repositoryCases, runConformance } from "@x/conformance";
import { describe, it } from "vitest";
import { createMemoryRepository } from "../src/index.ts";
import { createNodeTools } from "../src/node.ts";

for (const [objectFormat, tools] of [
  ["sha1", undefined],
  ["sha256", undefined],
  ["sha1", createNodeTools()],
] as const) {
  const title = (port: string) =>
    `storage-memory, ${objectFormat}, ${tools ? "Node's tools" : "neutral"}: ${port}`;
  const make = () => createMemoryRepository({ objectFormat, tools });
  runConformance({ describe, it }, title("RefStore"), refStoreCases(objectFormat), async () => make().refs);
  runConformance(
    { describe, it },
    title("ObjectStore"),
    objectStoreCases(objectFormat),
    async () => make().objects,
  );
  runConformance({ describe, it }, title("Repository"), repositoryCases(objectFormat), async () => make());
}
