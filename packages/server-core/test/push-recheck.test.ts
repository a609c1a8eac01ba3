import type { ObjectId } from "@x/objects";
import { beforeEach, describe, expect, it } from "vitest";
import type { PushHooks } from "../src/index.ts";
import { MemoryRepository } from "./memory-repository.ts";
import { type Command, push, shownBy, verdictsOf } from "./push-story.ts";

describe("an object that is pruned while refs are about to be changed", () => {
  let repository: MemoryRepository;
  let kept: ObjectId;
  let lost: ObjectId;
  let commands: Command[];

  beforeEach(() => {
    repository = new MemoryRepository();
    const [c1, c2] = repository.five();
    kept = c1;
    lost = c2;
    repository.refs.set("refs/heads/old", kept);
    commands = [
      ["refs/heads/a", undefined, kept],
      ["refs/heads/b", undefined, lost],
      ["refs/heads/c", undefined, lost],
      ["refs/heads/old", kept, undefined],
    ];
  });

  const losing: Readonly<Record<string, (lose: () => void) => PushHooks>> = {
    "the update hook": (lose) => ({ update: async () => void lose() }),
    "the reference-transaction hook": (lose) => ({
      referenceTransaction: async (_, phase) => void (phase === "prepared" && lose()),
    }),
  };
  for (const [name, make] of Object.entries(losing)) {
    it(`fails the refs that would hold it, by ${name}`, async () => {
      const service = { hooks: make(() => void repository.lose(lost)) };
      const answer = await push(repository, commands, { service });
      expect(verdictsOf(answer)).toEqual([
        "ok refs/heads/a",
        "ng refs/heads/b missing necessary objects",
        "ng refs/heads/c missing necessary objects",
        "ok refs/heads/old",
      ]);
      expect(shownBy(answer)).toContain(
        `error: trying to write ref 'refs/heads/b' with nonexistent object ${lost}\n`,
      );
      expect([...repository.refs.stored.keys()]).not.toContain("refs/heads/b");
    });

    it(`fails all of an atomic push, by ${name}`, async () => {
      const service = { hooks: make(() => void repository.lose(lost)) };
      const before = new Map(repository.refs.stored);
      const caps = "report-status side-band-64k atomic";
      expect(verdictsOf(await push(repository, commands, { service, caps }))).toEqual([
        "ng refs/heads/a atomic transaction failed",
        "ng refs/heads/b missing necessary objects",
        "ng refs/heads/c missing necessary objects",
        "ng refs/heads/old atomic transaction failed",
      ]);
      expect(repository.refs.stored).toEqual(before);
    });
  }

  it("costs one question for all refs, and none for deletions", async () => {
    const asked: number[] = [];
    const { objects } = repository;
    const has = objects.has.bind(objects);
    objects.has = async (ids) => {
      asked.push(ids.length);
      return has(ids);
    };
    await push(repository, commands);
    expect(asked.filter((count) => count === 2)).toEqual([2]);
    expect(asked).toHaveLength(1);
  });
});
