import { describe, expect, it } from "vitest";
import { createMemoryRepository, type MemoryLimits } from "../src/index.ts";

const exceeded = (name: string) => ({
  code: "objects/limit-exceeded",
  message: expect.stringContaining(name),
});

async function filled(limits: Partial<MemoryLimits>, commits = 1) {
  const repository = createMemoryRepository({ limits });
  for (let i = 0; i < commits; i++) {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`d${at}/${i}`, `${i} ${at}`]));
    await repository.commit({ branch: "main", message: `${i}`, files });
  }
  return repository;
}

async function bytesOf(repository: Awaited<ReturnType<typeof filled>>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const event of repository.objects.createPack({
    wants: [await repository.resolve("main")],
    haves: [],
  }))
    if (event.kind === "bytes") chunks.push(event.bytes.slice());
  return chunks;
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

describe("a repository in memory", () => {
  it("has bounds to what it holds, what is on its way in included, and let go of what did not come in", async () => {
    const pack = await bytesOf(await filled({}, 20));
    const size = pack.reduce((sum, chunk) => sum + chunk.length, 0);
    const small = createMemoryRepository({ limits: { maxRepositoryBytes: size - 1 } });
    for (let i = 0; i < 3; i++) {
      const quarantine = await small.objects.receive();
      await expect(quarantine.takePack(each(pack), { limits: {} })).rejects.toMatchObject(
        exceeded("maxRepositoryBytes"),
      );
      await quarantine.discard();
    }
    const fits = createMemoryRepository({ limits: { maxRepositoryBytes: size * 4 } });
    const first = await fits.objects.receive();
    await first.takePack(each(pack), { limits: {} });
    const second = await fits.objects.receive();
    await second.takePack(each(pack), { limits: {} });
    await first.publish();
    await second.discard();
    const third = await fits.objects.receive();
    const large = new Uint8Array(size * 4);
    await expect(third.writeObject?.("blob", large)).rejects.toMatchObject(exceeded("maxRepositoryBytes"));
    await third.discard();
  });

  it("knows no files: a skip list cannot be read", async () => {
    const quarantine = await createMemoryRepository().objects.receive();
    const fsck = { severities: new Map(), maxPathnameBytes: undefined, skipLists: ["skip"] };
    await expect(quarantine.takePack(each([]), { limits: {}, fsck })).rejects.toMatchObject({
      code: "objects/bad-setting",
      message: "could not open object name list: skip",
    });
  });
});
