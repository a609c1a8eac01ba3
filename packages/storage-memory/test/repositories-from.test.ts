import { describe, expect, it } from "vitest";
import { createMemoryRepository, repositoriesFrom } from "../src/index.ts";

const call = (repository: string) => ({ repository, signal: new AbortController().signal });

describe("repositoriesFrom", () => {
  it("finds what a map has, with .git and without, and nothing else", async () => {
    const [app, bare] = [createMemoryRepository(), createMemoryRepository()];
    const find = repositoriesFrom(
      new Map([
        ["team/app", app],
        ["b.git", bare],
      ]),
    );
    for (const name of ["team/app", "/team/app", "/team/app.git", "team/app/"])
      expect(await find(call(name)), name).toBe(app);
    for (const name of ["/b", "b.git"]) expect(await find(call(name)), name).toBe(bare);
    for (const name of ["", "/", "team", "team/app/x", "team/../b", "__proto__"])
      expect(await find(call(name)), name).toBeUndefined();
  });

  it("asks a function when somebody asks for it", async () => {
    const asked: string[] = [];
    const app = createMemoryRepository();
    const find = repositoriesFrom(async (name, signal) => {
      signal.throwIfAborted();
      asked.push(name);
      return name === "app" ? app : undefined;
    });
    expect(await find(call("/app.git"))).toBe(app);
    expect(await find(call("/other"))).toBeUndefined();
    expect(asked).toEqual(["app.git", "app", "other", "other.git"]);
  });
});
