import { delim, encodePackets, flush } from "@x/pktline";
import { describe, expect, it } from "vitest";
import { MemoryRepository } from "./memory-repository.ts";
import { type Answer, section, serve } from "./story.ts";

function lsRefs(repository: MemoryRepository, ...lines: string[]): Promise<Answer> {
  const format = `object-format=${repository.objectFormat}`;
  const input = [encodePackets(["command=ls-refs\n", "agent=git/2\n", format, delim, ...lines, flush])];
  return serve(repository, { input });
}

describe("ls-refs", () => {
  it.each(["sha1", "sha256"] as const)("gives targets and peeled values where asked, %s", async (format) => {
    const repository = new MemoryRepository(format);
    const [, , c3, , c5] = repository.five();
    const tag = repository.tag("outer", repository.tag("inner", c3));
    repository.refs.set("refs/tags/v1", tag);
    repository.refs.set("refs/odd/place", tag);
    repository.refs.point("refs/remotes/origin/HEAD", "refs/heads/main");
    expect((await lsRefs(repository)).packets).toEqual([
      `${c5} HEAD\n`,
      `${c5} refs/heads/main\n`,
      `${tag} refs/odd/place\n`,
      `${c5} refs/remotes/origin/HEAD\n`,
      `${tag} refs/tags/v1\n`,
      "flush",
    ]);
    expect((await lsRefs(repository, "peel", "symrefs")).packets).toEqual([
      `${c5} HEAD symref-target:refs/heads/main\n`,
      `${c5} refs/heads/main\n`,
      `${tag} refs/odd/place peeled:${c3}\n`,
      `${c5} refs/remotes/origin/HEAD symref-target:refs/heads/main\n`,
      `${tag} refs/tags/v1 peeled:${c3}\n`,
      "flush",
    ]);
  });

  it("tells where a chain of symbolic refs ends, HEAD among them, and lists none that ends nowhere", async () => {
    const repository = new MemoryRepository();
    const [, , , , c5] = repository.five();
    repository.refs.point("refs/heads/one", "refs/heads/two");
    repository.refs.point("refs/heads/two", "refs/heads/main");
    repository.refs.point("HEAD", "refs/heads/one");
    repository.refs.point("refs/heads/lost", "refs/heads/none");
    const end = "symref-target:refs/heads/main\n";
    expect((await lsRefs(repository, "symrefs", "unborn")).packets).toEqual([
      `${c5} HEAD ${end}`,
      `${c5} refs/heads/main\n`,
      `${c5} refs/heads/one ${end}`,
      `${c5} refs/heads/two ${end}`,
      "flush",
    ]);
    const { packets } = await serve(repository, { version: 0, mode: "advertise" });
    expect(packets[0]).toContain(" symref=HEAD:refs/heads/main ");
    repository.refs.point("HEAD", "refs/heads/lost");
    expect((await lsRefs(repository, "symrefs", "unborn", "ref-prefix HEAD")).packets).toEqual([
      "unborn HEAD symref-target:refs/heads/none\n",
      "flush",
    ]);
  });

  it("takes prefixes as plain text, for HEAD too", async () => {
    const repository = new MemoryRepository();
    const [c1] = repository.five();
    repository.refs.set("refs/heads/maintenance", c1);
    repository.refs.set("refs/tags/light", c1);
    const names = async (...prefixes: string[]) =>
      (await lsRefs(repository, ...prefixes.map((prefix) => `ref-prefix ${prefix}\n`))).packets
        .slice(0, -1)
        .map((line) => line.trimEnd().split(" ")[1]);
    expect(await names("refs/heads/mai")).toEqual(["refs/heads/main", "refs/heads/maintenance"]);
    expect(await names("HE", "refs/tags/")).toEqual(["HEAD", "refs/tags/light"]);
    expect(await names("HEADS", "main")).toEqual([]);
    expect(await names("ref")).toHaveLength(3);
    expect(await names("")).toHaveLength(4);
  });

  it("ignores prefixes when there are too many of them", async () => {
    const repository = new MemoryRepository();
    repository.five();
    const limits = { maxRefPrefixes: 4 };
    const ask = async (count: number) => {
      const lines = Array.from({ length: count }, (_, i) => `ref-prefix refs/none/${i}\n`);
      const input = [encodePackets(["command=ls-refs\n", delim, ...lines, flush])];
      return (await serve(repository, { input, options: { limits } })).packets.length;
    };
    expect(await ask(3)).toBe(1);
    expect(await ask(4)).toBe(3);
    expect(await ask(5)).toBe(3);
  });

  it("tells of an unborn HEAD to those who ask for it and for symrefs", async () => {
    const repository = new MemoryRepository();
    expect((await lsRefs(repository, "symrefs", "unborn")).packets).toEqual([
      "unborn HEAD symref-target:refs/heads/main\n",
      "flush",
    ]);
    expect((await lsRefs(repository, "unborn")).packets).toEqual(["flush"]);
    expect((await lsRefs(repository, "symrefs")).packets).toEqual(["flush"]);
    expect((await lsRefs(repository, "symrefs", "unborn", "ref-prefix refs/")).packets).toEqual(["flush"]);
  });

  it("shows a detached HEAD without a target", async () => {
    const repository = new MemoryRepository();
    const [c1, , , , c5] = repository.five();
    repository.refs.set("HEAD", c1);
    expect((await lsRefs(repository, "symrefs", "peel")).packets).toEqual([
      `${c1} HEAD\n`,
      `${c5} refs/heads/main\n`,
      "flush",
    ]);
  });

  it("needs no arguments, and no delimiter for none", async () => {
    const repository = new MemoryRepository();
    repository.five();
    expect((await serve(repository, { input: [section("command=ls-refs")] })).packets).toHaveLength(3);
  });

  it.each(["peel x", "foo", "", "want 1234"])("refuses the argument %j", async (line) => {
    const { text, error } = await lsRefs(new MemoryRepository(), line);
    expect(text.slice(4)).toBe(`ERR unexpected line: '${line}'`);
    expect(error).toMatchObject({ code: "server-core/protocol", reported: true });
  });
});
