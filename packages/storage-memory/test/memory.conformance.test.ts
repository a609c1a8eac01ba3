import { objectStoreCases, refStoreCases, repositoryCases, runConformance } from "@x/conformance";
import { describe, it } from "vitest";
import { createMemoryRepository } from "../src/index.ts";
import { createNodeTools } from "../src/node.ts";

for (const objectFormat of ["sha1", "sha256"] as const)
  for (const tools of [undefined, createNodeTools()]) {
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
