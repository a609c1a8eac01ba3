import { strict as assert } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRepositoryOpener, createWorkerPool, repositoriesUnder, writeLooseObject } from "@x/storage-fs";

const root = await mkdtemp(join(tmpdir(), "repositories-"));
const pool = createWorkerPool();
try {
  const repositories = repositoriesUnder(root);
  await repositories.create("hello", { objectFormat: "sha1" });

  // Names are looked up as git does, and nothing outside the root is ever found.
  const layout = await repositories.find("/hello");
  assert(layout !== undefined);
  assert.equal(await repositories.find("/../hello"), undefined);

  const { objects, objectFormat } = await createRepositoryOpener(pool).open(layout);
  const id = await writeLooseObject({ ...layout, objectFormat }, "blob", new TextEncoder().encode("hello\n"));
  assert.deepEqual(await objects.headers([id]), [{ type: "blob", size: 6 }]);
} finally {
  await pool.close();
  await rm(root, { recursive: true });
}
