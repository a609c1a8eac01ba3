import { type ObjectId, parseObjectId } from "@x/objects";
import { describe, expect, test } from "vitest";
import { combineHooks } from "../src/combine-hooks.ts";
import type { Hooks } from "../src/hooks.ts";
import type { PreReceiveContext, PushCommand, Refusals } from "../src/push-hooks.ts";

const id = parseObjectId("1".repeat(40), "sha1") as ObjectId;
const command = (ref: string): PushCommand => ({ ref, oldId: id, newId: id });
const context = { commands: ["a", "b", "c"].map(command) } as unknown as PreReceiveContext;

/** Hooks that note what they are asked. */
function noting(name: string, notes: string[], refusals?: Refusals): Hooks {
  const note = (what: string, commands: readonly PushCommand[]) =>
    void notes.push(`${name} ${what} ${commands.map(({ ref }) => ref).join("")}`);
  return {
    prePush: async ({ commands }) => {
      note("prePush", commands);
      return refusals;
    },
    preReceive: async ({ commands }) => {
      note("preReceive", commands);
      return refusals;
    },
    update: async (_context, one) => {
      note("update", [one]);
      return typeof refusals === "string" ? refusals : refusals?.get(one.ref);
    },
    postReceive: async ({ commands }) => {
      note("postReceive", commands);
      if (typeof refusals === "string") throw new Error(refusals);
    },
  };
}

describe("combined hooks", () => {
  test("attend where one does that has a part in pushes", async () => {
    const attending = async (...answers: readonly (boolean | undefined)[]) => {
      const parts = answers.map((answer): Hooks => {
        const hooks = noting("1", []);
        return answer === undefined ? hooks : { ...hooks, attends: async () => answer };
      });
      const only: Hooks = { prePush: async () => undefined, postPush: async () => {} };
      return combineHooks(only, ...parts).attends?.(context);
    };
    expect(await attending(false, false)).toBe(false);
    expect(await attending(false, true)).toBe(true);
    expect(await attending(undefined, false)).toBe(true);
    expect(await attending()).toBeUndefined();
  });

  test("that refuse one by one leave the rest to the next", async () => {
    const notes: string[] = [];
    const hooks = combineHooks(
      noting("1", notes, new Map([["b", "b of 1"]])),
      {},
      noting(
        "2",
        notes,
        new Map([
          ["b", "b of 2"],
          ["c", "c of 2"],
        ]),
      ),
      noting("3", notes, "none of it"),
      noting("4", notes),
    );
    const all = new Map([
      ["b", "b of 1"],
      ["c", "c of 2"],
      ["a", "none of it"],
    ]);
    expect(await hooks.preReceive?.(context)).toEqual(all);
    expect(await hooks.prePush?.(context)).toEqual(all);
    expect(notes).toEqual([
      "1 preReceive abc",
      "2 preReceive ac",
      "3 preReceive a",
      "1 prePush abc",
      "2 prePush ac",
      "3 prePush a",
    ]);
  });

  test("that refuse everything are the last word, and none is none", async () => {
    const notes: string[] = [];
    const refusing = combineHooks(noting("1", notes), noting("2", notes, "no"), noting("3", notes));
    expect(await refusing.preReceive?.(context)).toBe("no");
    expect(await refusing.update?.(context, command("a"))).toBe("no");
    expect(notes).toEqual(["1 preReceive abc", "2 preReceive abc", "1 update a", "2 update a"]);
    expect(await combineHooks(noting("1", []), noting("2", [])).preReceive?.(context)).toBeUndefined();
  });

  test("are all told what is over, though one fails", async () => {
    const notes: string[] = [];
    const hooks = combineHooks(noting("1", notes, "first"), noting("2", notes, "second"), noting("3", notes));
    await expect(hooks.postReceive?.(context)).rejects.toThrow("first");
    expect(notes).toHaveLength(3);
  });

  test("hear of a transaction until one calls it off, and all of its end", async () => {
    const notes: string[] = [];
    const part = (name: string, fails = false): Hooks => ({
      referenceTransaction: async (_context, phase) => {
        notes.push(`${name} ${phase}`);
        if (fails) throw new Error(name);
      },
    });
    const hooks = combineHooks(part("1"), part("2", true), part("3"));
    await expect(hooks.referenceTransaction?.(context, "prepared", [])).rejects.toThrow("2");
    await expect(hooks.referenceTransaction?.(context, "aborted", [])).rejects.toThrow("2");
    expect(notes).toEqual(["1 prepared", "2 prepared", "1 aborted", "2 aborted", "3 aborted"]);
  });

  test("each answer what no other has answered", async () => {
    const asked: string[] = [];
    const part = (ref: string): Hooks => ({
      procReceive: async ({ commands }) => {
        asked.push(commands.map((one) => one.ref).join(""));
        return new Map([[ref, [{ status: "refused", reason: ref }]]]);
      },
    });
    const answers = await combineHooks(part("a"), part("c"), part("b"), part("x")).procReceive?.(context);
    expect([...(answers?.keys() ?? [])]).toEqual(["a", "c", "b"]);
    expect(asked).toEqual(["abc", "bc", "b"]);
    const nobody: Hooks = { procReceive: async () => undefined };
    expect(await combineHooks(nobody, nobody).procReceive?.(context)).toBeUndefined();
    expect([...((await combineHooks(nobody, part("b")).procReceive?.(context))?.keys() ?? [])]).toEqual([
      "b",
    ]);
  });

  test("have what one of them has, and the first check-out that is not left to others", async () => {
    expect(combineHooks({}, {})).toEqual({});
    const hooks = combineHooks(
      { pushToCheckout: async () => false },
      { pushToCheckout: async () => "1" },
      { pushToCheckout: async () => "2" },
    );
    expect(Object.keys(hooks)).toEqual(["pushToCheckout"]);
    expect(await hooks.pushToCheckout?.(context, command("a"), "/w")).toBe("1");
    const fetching = combineHooks(
      { preFetch: async () => undefined },
      { preFetch: async () => "no" },
      { postFetch: async () => {} },
    );
    expect(await fetching.preFetch?.({} as Parameters<NonNullable<Hooks["preFetch"]>>[0])).toBe("no");
    expect(fetching.postFetch).toBeDefined();
    const told: string[] = [];
    const pushing = combineHooks(
      { postPush: async () => void told.push("a") },
      { postPush: async () => void told.push("b") },
    );
    await pushing.postPush?.(context, { commands: [], outcome: "ok", objects: 0, ms: 1 });
    expect(told).toEqual(["a", "b"]);
  });
});
