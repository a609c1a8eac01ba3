import { describe, expect, it } from "vitest";
import { Turns } from "../src/worker/turns.ts";

describe("turns", () => {
  it("go to the first ones at once, and to the others in the order of their coming", () => {
    const turns = new Turns(2);
    const called: string[] = [];
    const enter = (name: string) => turns.enter(() => called.push(name));
    const [a, b, c, d] = [enter("a"), enter("b"), enter("c"), enter("d")];
    expect([a, b, c, d].map((place) => place.hasTurn)).toEqual([true, true, false, false]);
    b.leave();
    expect(called).toEqual(["c"]);
    a.leave();
    expect(called).toEqual(["c", "d"]);
    expect([a, b, c, d].map((place) => place.hasTurn)).toEqual([false, false, true, true]);
  });

  it("pass over those that left the queue", () => {
    const turns = new Turns(1);
    const called: string[] = [];
    const enter = (name: string) => turns.enter(() => called.push(name));
    const [a, b, c] = [enter("a"), enter("b"), enter("c")];
    b.leave();
    a.leave();
    expect(called).toEqual(["c"]);
    expect([b.hasTurn, c.hasTurn]).toEqual([false, true]);
  });

  it("are given back once, however often one leaves", () => {
    const turns = new Turns(1);
    const enter = () => turns.enter(() => {});
    const a = enter();
    const b = enter();
    a.leave();
    a.leave();
    const c = enter();
    expect([b.hasTurn, c.hasTurn]).toEqual([true, false]);
    b.leave();
    c.leave();
    expect([enter().hasTurn, enter().hasTurn]).toEqual([true, false]);
  });
});
