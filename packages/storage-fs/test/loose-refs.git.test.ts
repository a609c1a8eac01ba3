import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { temporaryDirectory } from "@tooling/test-kit";
import { describe, expect, it } from "vitest";
import { LooseRefs, scanHere } from "../src/refs/loose-refs.ts";

const [A, B] = ["a".repeat(40), "b".repeat(40)];

function makeRefs(files: number) {
  const directory = temporaryDirectory("loose");
  mkdirSync(`${directory}/refs/heads`, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(`${directory}/refs/heads/${name}`, text);
  for (let i = 0; i < files; i++) write(`f${i}`, `${A}\n`);
  const elsewhere = scanHere();
  let asked = 0;
  const refs = new LooseRefs(
    { gitDirectory: directory, commonDirectory: directory, format: "sha1" },
    (request, signal) => {
      asked++;
      return elsewhere(request, signal);
    },
    () => {},
  );
  return { list: () => refs.list([""], undefined), write, asked: () => asked, directory };
}

describe("LooseRefs", () => {
  it("scans few files elsewhere once and then here, to the same serial", async () => {
    const { list, asked } = makeRefs(3);
    const first = await list();
    expect(first.refs).toHaveLength(3);
    expect((await list()).serial).toBe(first.serial);
    expect((await list()).serial).toBe(first.serial);
    expect(asked()).toBe(1);
  });

  it("sees here what has changed, what came and what went", async () => {
    const { list, write, asked, directory } = makeRefs(2);
    const serials = new Set([(await list()).serial, (await list()).serial]);
    write("f1", `${B}\n`);
    const changed = await list();
    expect(changed.refs.map(({ target }) => target)).toEqual([
      { kind: "id", id: A },
      { kind: "id", id: B },
    ]);
    serials.add(changed.serial);
    write("g", `${B}\n`);
    serials.add((await list()).serial);
    rmSync(`${directory}/refs/heads/f0`);
    const last = await list();
    serials.add(last.serial);
    expect(last.refs.map(({ name }) => name)).toEqual(["refs/heads/f1", "refs/heads/g"]);
    expect(serials.size).toBe(4);
    expect(asked()).toBe(1);
  });

  it("leaves many files to another thread each time", async () => {
    const { list, asked } = makeRefs(100);
    const first = await list();
    expect((await list()).serial).toBe(first.serial);
    expect(asked()).toBe(2);
  });
});
