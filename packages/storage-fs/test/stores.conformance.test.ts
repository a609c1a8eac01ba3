import { temporaryDirectory } from "@tooling/test-kit";
import { objectStoreCases, refStoreCases, repositoryCases, runConformance } from "@x/conformance";
import type { ObjectFormat } from "@x/objects";
import { afterAll, describe, it } from "vitest";
import {
  createBareRepository,
  createWorkerPool,
  type FileRepository,
  findRepository,
  openRepository,
  type RepositoryLayout,
} from "../src/index.ts";
import { emptyOf, REF_KINDS, type RefKind } from "./ref-kinds.ts";

const pool = createWorkerPool({ shared: true });
afterAll(() => pool.close());

async function layoutOf(kind: RefKind, objectFormat: ObjectFormat): Promise<RepositoryLayout> {
  if (kind === "files") return createBareRepository(`${temporaryDirectory("store")}/r.git`, { objectFormat });
  const directory = await emptyOf(kind, objectFormat);
  const layout = await findRepository(directory);
  if (layout === undefined) throw new Error(`no repository at ${directory}`);
  return layout;
}

for (const kind of REF_KINDS)
  for (const objectFormat of ["sha1", "sha256"] as const) {
    const make = async (): Promise<FileRepository> =>
      openRepository(await layoutOf(kind, objectFormat), pool, { durability: "none" });
    const runner = { describe, it };
    const title = (port: string) => `storage-fs, ${kind}, ${objectFormat}: ${port}`;
    const cases = refStoreCases(objectFormat);
    runConformance(runner, title("RefStore"), cases, async () => (await make()).refs);
    runConformance(runner, title("Repository"), repositoryCases(objectFormat), make);
    if (kind === "reftable") continue; // objects do not care where refs are
    const objectCases = objectStoreCases(objectFormat);
    runConformance(runner, title("ObjectStore"), objectCases, async () => (await make()).objects);
  }
